import { msFromStamp } from '../base/clock.ts'
import type { Json } from '../base/json.ts'
import { applyPatch, parsePointer, toOperation, valueAt } from '../base/patch.ts'
import { type Answers, isEnded, type Loser, type SessionState, type StepAnswers } from '../record/state.ts'

/** A value that lost a conflict and is offered, on every device: settle it with `resolve(id, ...)`. */
export interface Conflict extends Omit<Loser, 'at' | 'kind'> {
  readonly id: string
  /** The item it is in, by key, where the step repeats. */
  readonly item?: string
  /** The field of the step, or of the item; absent where all of it is meant. */
  readonly field?: string
  /** What stands there now. */
  readonly kept?: Json
  /** When it was entered, in milliseconds since 1970. */
  readonly at: number
  /** True where the flow wants a person to decide. */
  readonly isAsking: boolean
  /** True where it was entered after the session had ended elsewhere: part of the `fork`, and cannot be restored. */
  readonly isLate: boolean
}

/** What was entered after a session had ended elsewhere: nothing of it was applied. */
export interface Fork<A = Answers> {
  /** All answers as they would be with it. */
  readonly answers: A
  /** When the last of it was entered, in milliseconds since 1970. */
  readonly at: number
  /** Its parts; it is dismissed by resolving them all. */
  readonly conflicts: readonly Conflict[]
}

/** A reader of the open conflicts, oldest first: the same list until they or what stands there change. */
export function createConflictList(): (state: SessionState) => readonly Conflict[] {
  let of: Partial<SessionState> = {}
  let list: readonly Conflict[] = []
  return (state) => {
    const { conflicts, answers, status } = state
    const isSame = answers === of.answers && status === of.status
    if (conflicts !== of.conflicts || (conflicts !== undefined && !isSame)) {
      of = state
      list = Object.freeze(listOf(state))
    }
    return list
  }
}

function listOf({ conflicts = {}, answers, status }: SessionState): Conflict[] {
  return Object.entries(conflicts)
    .map(([id, { at, kind, ...loser }]): Conflict => {
      const { step, path } = loser
      const kept = Object.hasOwn(answers, step) ? valueAt(answers[step] as Json, path) : undefined
      const place = placeOf(path)
      return {
        ...loser,
        ...place,
        ...(kept === undefined ? {} : { kept }),
        ...{ id, at: msFromStamp(at), isAsking: kind === 'ask', isLate: kind === 'late' && isEnded(status) },
      }
    })
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
}

function placeOf(path: string): Pick<Conflict, 'item' | 'field'> {
  const [, first = '', second] = path.split('/')
  const [item, field] = first.startsWith('~=') ? [first.slice(2), second] : [undefined, first || undefined]
  const named = (token: string) => parsePointer(`/${token}`)[0]!
  return {
    ...(item === undefined ? {} : { item: named(item) }),
    ...(field === undefined ? {} : { field: named(field) }),
  }
}

export function forkOf(answers: Answers, conflicts: readonly Conflict[]): Fork | undefined {
  const late = conflicts.filter(({ isLate }) => isLate)
  if (late.length === 0) return undefined
  const all: { [step: string]: StepAnswers | undefined } = { ...answers }
  for (const { step, path, value } of late) {
    all[step] = applyPatch(all[step] as Json | undefined, [toOperation(path, value)]) as
      | StepAnswers
      | undefined
  }
  return { answers: all, at: late.at(-1)!.at, conflicts: late }
}
