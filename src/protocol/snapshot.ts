import { countOf, currentRev, type HeldSession, type HeldStep } from './held.ts'
import type { SyncOutcome, WireSnapshot } from './wire.ts'

/** A session with its steps: all of them, or those changed after the rev that was asked for. */
export interface HeldSnapshot extends HeldSession {
  readonly isWhole: boolean
  readonly steps: readonly HeldStep[]
}

/** The count after which steps have changed since `since`; -1, for all of them, where that rev is not remembered. */
export function countSince(held: HeldSession, since: string | null): number {
  return since !== null && held.revs.includes(since) ? countOf(since) : -1
}

/** What a server tells of a session. A whole snapshot leaves removed steps out; a partial one names them with `null`. */
export function toWireSnapshot(held: HeldSnapshot): WireSnapshot {
  const steps = held.isWhole ? held.steps.filter(({ text }) => text !== null) : held.steps
  return {
    rev: currentRev(held),
    isWhole: held.isWhole,
    meta: held.meta,
    steps: Object.fromEntries(steps.map(({ step, text }) => [step, text])),
    heads: held.heads,
    at: held.at,
    stamps: Object.fromEntries(steps.map(({ step, at, writer }) => [step, { at, writer }])),
  }
}

/** The answer to a pull of what is held, loaded since the rev the pull names. */
export function answerPull(
  session: string,
  since: string | null,
  held: HeldSnapshot | undefined,
): SyncOutcome {
  if (held === undefined) return { type: 'unknown', session }
  const rev = currentRev(held)
  if (rev === since) return { type: 'unchanged', session, rev }
  return { type: 'snapshot', session, snapshot: toWireSnapshot(held) }
}
