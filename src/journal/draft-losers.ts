/** What a draft of a writer that is gone loses, and makes lose, when it becomes an entry over what others stored since. */
import { isEqual, type Operation, valueAt } from '../base/patch.ts'
import type { StampOf } from '../merge/merge-value.ts'
import type { Entry } from '../record/entry.ts'
import { type Change, isEnded, type Loser, type SessionState, type StepId } from '../record/state.ts'
import type { Draft } from './rows.ts'

/** A draft but for what was changed later than it: that is set aside in `superseded`. */
export function withoutLater(draft: Draft, later: StampOf): Draft {
  const superseded = [...draft.superseded]
  const overwrites = [...draft.overwrites]
  const changes = draft.changes.map((change): Change => {
    if (change.type !== 'set') return change
    const { step } = change
    const patch = change.patch.filter((operation) => {
      const stamp = later(step, operation.path)
      const isLater = stamp.at > draft.typedAt(operation)
      // A person typing over what they typed before is no conflict.
      const isOwn = stamp.writer === draft.writer
      if (isLater && !isOwn) superseded.push(loserOf(draft, step, operation))
      else if (stamp.at > 0 && !isLater && !isOwn) overwrites.push({ step, path: operation.path, ...stamp })
      return !isLater
    })
    return { ...change, patch }
  })
  return { ...draft, changes, superseded, overwrites }
}

/** A draft but for what was typed before these entries adopted it: its writer, not knowing of that, wrote it once more. */
export function withoutAdopted(draft: Draft, entries: readonly Entry[]): Draft {
  const adoptions = entries.filter(({ changes = [] }) =>
    changes.some((change) => change.type === 'adopted' && change.writer === draft.writer),
  )
  if (adoptions.length === 0) return draft
  // An adoption is stamped with the latest typing it took.
  const adoptedUpTo = Math.max(...adoptions.map(({ at }) => at))
  const changes = draft.changes.map((change): Change => {
    if (change.type !== 'set') return change
    return { ...change, patch: change.patch.filter((operation) => draft.typedAt(operation) > adoptedUpTo) }
  })
  return { ...draft, changes }
}

/** What is not taken where this draft becomes an entry after `state`. */
export function losersOf(draft: Draft, state: SessionState): readonly Loser[] {
  const losers = [...draft.superseded]
  for (const change of draft.changes) {
    if (change.type !== 'set') continue
    const { step } = change
    for (const operation of change.patch) {
      if (isEnded(state.status)) {
        losers.push({ ...loserOf(draft, step, operation), kind: 'late' })
        continue
      }
      const over = draft.overwrites.findLast((one) => one.step === step && one.path === operation.path)
      const value = valueAt(state.answers[step], operation.path)
      if (over === undefined || isEqual(value, valueIn(operation))) continue
      losers.push({ ...over, ...(value === undefined ? {} : { value }) })
    }
  }
  return losers
}

function loserOf({ typedAt, writer }: Draft, step: StepId, operation: Operation): Loser {
  const value = valueIn(operation)
  return {
    step,
    path: operation.path,
    at: typedAt(operation),
    writer,
    ...(value === undefined ? {} : { value }),
  }
}

function valueIn(operation: Operation) {
  return operation.op === 'remove' ? undefined : operation.value
}
