/**
 * What this page has entered and the journal does not hold as entries yet: a queue for the next entry, and typing.
 *
 * Invariants
 * - Order is kept: the queue before the typing, and within each as entered.
 * - `layOver` loses nothing: what is local afterwards leads from the new stored state to the merged one, and a value
 *   that lost a conflict is in the losers of the merge change it leaves.
 */
import type { Json } from '../base/json.ts'
import { diff } from '../base/patch.ts'
import type { PolicyOf } from '../flow/merge-policy.ts'
import { mergeStates } from '../merge/merge-states.ts'
import { applyChange, type Change, type SessionState } from '../record/state.ts'
import { createDraftBuffer, type SetChange, type TypedAt } from './draft.ts'
import { latestStamp, type StampedChange } from './stamps.ts'

export interface Local {
  readonly queue: readonly StampedChange[]
  readonly typing: readonly SetChange[]
  /** Stamp of the latest typing, 0 without any; and of each operation of it. */
  readonly lastTypedAt: number
  readonly typedAt: TypedAt
  /** True where the typing differs from the draft row. */
  readonly isTypingDirty: boolean
  /** Queue and typing in order. */
  items(): StampedChange[]
  type(change: SetChange, at: number): void
  push(changes: readonly Change[], at: number): void
  /** Moves the typing into the queue. */
  promote(): void
  /** Moves set changes from the queue back to typing and drops the rest: nothing may be appended any more. */
  demote(): void
  takeQueue(): readonly StampedChange[]
  /** A batch that did not make it: its changes come first again. */
  putBack(items: readonly StampedChange[], hadTyping: boolean): void
  markTypingStored(): void
  /** Merges what is local with a new stored state and rewrites it as changes over that. */
  layOver(options: {
    readonly base: SessionState
    readonly theirs: SessionState
    readonly foreign: readonly StampedChange[]
    readonly joins: { readonly [writer: string]: string }
  }): void
}

export function createLocal(writer: string, policyOf?: PolicyOf): Local {
  const draft = createDraftBuffer()
  let queue: readonly StampedChange[] = []
  let isTypingDirty = false

  const typed = (): StampedChange[] => draft.changes().map((change) => ({ change, at: draft.at, writer }))
  const items = () => [...queue, ...typed()]

  return {
    get queue() {
      return queue
    },
    get typing() {
      return draft.changes()
    },
    get lastTypedAt() {
      return draft.at
    },
    typedAt: draft.typedAt,
    get isTypingDirty() {
      return isTypingDirty
    },
    items,
    type(change, at) {
      draft.add(change, at)
      isTypingDirty = true
    },
    push(changes, at) {
      queue = [...queue, ...changes.map((change) => ({ change, at, writer }))]
    },
    promote() {
      if (draft.isEmpty) return
      queue = items()
      draft.clear()
      isTypingDirty = false
    },
    demote() {
      const typing = draft.changes()
      const typedAt = draft.at
      draft.clear()
      for (const { change, at } of queue) if (change.type === 'set') draft.add(change, at)
      for (const change of typing) draft.add(change, typedAt)
      queue = []
      isTypingDirty = !draft.isEmpty
    },
    takeQueue() {
      const taken = queue
      queue = []
      return taken
    },
    putBack(returned, hadTyping) {
      queue = [...returned, ...queue]
      isTypingDirty ||= hadTyping
    },
    markTypingStored() {
      isTypingDirty = false
    },
    layOver({ base, theirs, foreign, joins }) {
      const local = items()
      if (local.length === 0) return
      const { state: merged, losers } = mergeStates({
        base,
        ours: fold(
          base,
          local.map((item) => item.change),
        ),
        theirs,
        ourStamp: latestStamp(local),
        theirStamp: latestStamp(foreign),
        policyOf,
      })
      const { at: typedAt } = draft
      const typedBefore = new Map(
        draft
          .changes()
          .flatMap(({ step, patch }) =>
            patch.map((one) => [`${step} ${one.path}`, draft.typedAt(one)] as const),
          ),
      )
      draft.clear()
      if (queue.length === 0 && losers.length === 0) {
        for (const { step, patch } of setsBetween(theirs, merged)) {
          for (const one of patch) {
            draft.add({ type: 'set', step, patch: [one] }, typedBefore.get(`${step} ${one.path}`) ?? typedAt)
          }
        }
        isTypingDirty = true
        return
      }
      // Moves and marks stay told as they happened; one merge change then leads to the merged state.
      const told = local.filter(({ change }) => change.type !== 'set')
      const toldState = fold(
        theirs,
        told.map((item) => item.change),
      )
      const patch = diff(toldState as unknown as Json, merged as unknown as Json)
      const at = local.reduce((latest, item) => Math.max(latest, item.at), 0)
      queue = [...told, { change: { type: 'merged', patch, joins, losers }, at, writer }]
      isTypingDirty = false
    },
  }
}

export function fold(from: SessionState, changes: readonly Change[]): SessionState {
  return changes.reduce(applyChange, from)
}

/** The set changes that lead from one state's answers to another's. */
function setsBetween(from: SessionState, to: SessionState): SetChange[] {
  const steps = new Set([...Object.keys(from.answers), ...Object.keys(to.answers)])
  return [...steps].flatMap((step) => {
    const patch = diff(from.answers[step] as Json | undefined, to.answers[step] as Json | undefined)
    return patch.length > 0 ? [{ type: 'set' as const, step, patch }] : []
  })
}
