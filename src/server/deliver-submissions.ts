import type { SessionKey } from '../protocol/held.ts'
import { parseJson } from '../record/guard.ts'
import type { Answers, FlowRef } from '../record/state.ts'
import type { ServerStore, Submission } from './store.ts'

export interface SubmittedSession extends SessionKey {
  readonly flow: FlowRef
  /** Of the submitted steps only, as they were entered: the schemas' input. */
  readonly answers: Answers
  /** False where the server knew no such flow and checked bounds only. */
  readonly validated: boolean
  /** Milliseconds since 1970, by the server's clock. */
  readonly at: number
}

/** Receives a submission, after it is stored. Called at least once for each: use the session's id to act once. */
export type OnSubmit = (submitted: SubmittedSession) => void | Promise<void>

export type OnServerError = (error: unknown, context: Partial<SessionKey>) => void

export interface DeliverOptions {
  readonly store: ServerStore
  readonly onSubmit: OnSubmit
  /** Receives what `onSubmit` throws; the submission stays undelivered. */
  readonly onError: OnServerError
  /** How many to try. Default: 100. */
  readonly limit?: number
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
}

/**
 * Hands on submissions that `onSubmit` has not received yet, because it threw or the process ended before it
 * returned. Call it at start and from a timer: the sync handler tries each one only when its session is pushed.
 * Resolves to how many were handed on.
 */
export async function deliverSubmissions(options: DeliverOptions): Promise<number> {
  const waiting = await options.store.undelivered(options.limit ?? 100)
  let delivered = 0
  for (const { account, session, submission } of waiting) {
    if (await deliver({ account, session }, submission, options)) delivered++
  }
  return delivered
}

/** Hands on one submission unless it was before; false where that failed. Never throws. */
export async function deliver(
  key: SessionKey,
  submission: Submission | undefined,
  { store, onSubmit, onError, now = Date.now }: DeliverOptions,
): Promise<boolean> {
  if (submission === undefined || submission.isDelivered) return true
  const { flow, validated, at } = submission
  try {
    await onSubmit({ ...key, flow, answers: answersOf(submission), validated, at })
    await store.markDelivered(key, now())
    return true
  } catch (error) {
    onError(error, key)
    return false
  }
}

/** A submission's answers, parsed. */
export function answersOf(submission: Submission): Answers {
  return parseJson(submission.answers) as unknown as Answers
}
