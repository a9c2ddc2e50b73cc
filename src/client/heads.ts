import type { Clock } from '../base/clock.ts'
import { type Flow, leafOf } from '../flow/definition.ts'
import { stepCounts } from '../flow/progress.ts'
import type { Head } from '../record/head.ts'
import type { SessionState } from '../record/state.ts'

/** A session that can be continued. No answers are read for it. */
export interface Resumable {
  readonly id: string
  readonly key: string
  readonly flow: { readonly id: string; readonly version: number; readonly title: string }
  readonly step: { readonly id: string; readonly title: string }
  readonly status: SessionState['status']
  readonly progress: { readonly done: number; readonly min: number; readonly max: number }
  /** Milliseconds since 1970; at most half a minute before the last entry. */
  readonly savedAt: number
  /** Where the flow has an expiry; as much too early as `savedAt` is. */
  readonly expiresAt?: number
}

/** Makes the head of a session from its states. */
export function createHeadMaker(of: {
  readonly id: string
  readonly account: string
  readonly key: string
  readonly flow: Flow
  readonly clock: Clock
  /** Milliseconds since 1970. */
  readonly createdAt: number
}): (state: SessionState) => Head {
  const { id, account, key, flow, clock, createdAt } = of
  return (state) => {
    const title = flow.leaves.has(state.step) ? leafOf(flow, state.step).title : state.step
    return {
      v: 1,
      id,
      account,
      key,
      flow: { id: flow.id, version: state.flow.version, title: flow.title },
      status: state.status,
      step: { id: state.step, title },
      progress: stepCounts(flow, state),
      createdAt,
      savedAt: clock.now(),
      ...(flow.expiry === undefined ? {} : { expiresAt: clock.now() + flow.expiry.afterMs }),
    }
  }
}

export function toResumable(head: Head): Resumable {
  const { id, key, flow, step, status, progress, savedAt, expiresAt } = head
  return {
    ...{ id, key, flow, step, status, progress, savedAt },
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}
