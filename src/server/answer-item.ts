import { canonicalJson } from '../base/canonical.ts'
import { WaymarkError } from '../base/errors.ts'
import type { Random } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import type { Flow } from '../flow/definition.ts'
import { applyPush, type PushVerdict, pushNeeds } from '../protocol/apply-push.ts'
import { currentRev, type HeldForPush, type PushWrite, type SessionKey } from '../protocol/held.ts'
import { answerPull, toWireSnapshot } from '../protocol/snapshot.ts'
import type { FieldIssue, PushItem, SyncItem, SyncOutcome } from '../protocol/wire.ts'
import type { Answers, FlowRef } from '../record/state.ts'
import type { OnServerError } from './deliver-submissions.ts'
import { answersAfter, isSubmit, judgeFlow, newlyFinished } from './judge-flow.ts'
import type { SyncLimits } from './limits.ts'
import type { ServerStore, Submission } from './store.ts'

export interface ItemContext {
  readonly store: ServerStore
  readonly random: Random
  readonly now: () => number
  readonly limits: SyncLimits
  /** The registered flow of that very version and structure, if there is one. */
  readonly flowOf: (ref: FlowRef) => Flow | undefined
  readonly onError: OnServerError
}

export interface ItemAnswer {
  readonly outcome: SyncOutcome
  /** True where the session is `done`, by this push or before it: a submission may wait to be handed on. */
  readonly isDone: boolean
}

/** How often a push is judged anew because someone else wrote in between; the second time usually says `stale`. */
const maxAttempts = 8

/** Answers one item in one transaction of its own. Throws only what the store throws. */
export async function answerItem(account: string, item: SyncItem, context: ItemContext): Promise<ItemAnswer> {
  const { session } = item
  const key = { account, session }
  if (item.type === 'pull') {
    const held = await context.store.read(key, item.since)
    if (held === undefined && (await context.store.isErased(key)))
      return { outcome: erased(session), isDone: false }
    return { outcome: answerPull(session, item.since, held), isDone: false }
  }
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const held = await context.store.load(key, pushNeeds(item))
    if (held === undefined && (await context.store.isErased(key)))
      return { outcome: erased(session), isDone: false }
    const verdict = applyPush(held, item, { random: context.random })
    const answer =
      verdict.type === 'accepted'
        ? await accept(key, held, verdict.write, context)
        : await refuse(key, held, item, verdict, context)
    if (answer !== undefined) return answer
  }
  throw new WaymarkError('storage-failed', `Session "${session}" is written to without pause. Try again.`, {
    details: { session },
    isRetryable: true,
  })
}

/** Nobody's changes bring back what was erased: the device keeps them, and is told. */
function erased(session: string): SyncOutcome {
  return { type: 'denied', session, reason: 'erased' }
}

/** `undefined` where the session changed or went meanwhile, and the push must be judged anew. */
async function accept(
  key: SessionKey,
  held: HeldForPush | undefined,
  push: PushWrite,
  context: ItemContext,
): Promise<ItemAnswer | undefined> {
  const { session } = key
  const { store, now, limits, flowOf } = context
  if (Object.keys(push.heads).length > limits.writers) return rejected(session, 'too-many-writers')
  const flow = flowOf(push.meta.flow)
  const isDone = push.meta.status === 'done'
  let submission: Submission | undefined
  if (isSubmit(held, push) || (flow !== undefined && newlyFinished(held, push).length > 0)) {
    const whole = held === undefined ? undefined : await store.read(key, null)
    if (held !== undefined && (whole === undefined || currentRev(whole) !== currentRev(held)))
      return undefined
    const answers = answersAfter(whole?.steps ?? [], push)
    const issues =
      flow === undefined ? [] : await judge(key, () => judgeFlow(flow, held, push, answers), context)
    if (issues === undefined) return rejected(session, 'validation-failed')
    if (issues.length > 0) return rejected(session, 'answers-invalid', issues)
    if (isSubmit(held, push)) submission = submissionOf(push, answers, flow !== undefined, now())
  }
  const isWritten = await store.write(key, {
    expected: held === undefined ? null : currentRev(held),
    push,
    savedAt: now(),
    ...(submission === undefined ? {} : { submission }),
  })
  if (!isWritten) return undefined
  const validated = flow !== undefined
  return { outcome: { type: 'accepted', session, rev: push.rev, validated }, isDone }
}

/** A flow whose own code throws spoils this item only: `undefined`, and the error goes to the host. */
async function judge<T>(
  key: SessionKey,
  run: () => Promise<T>,
  { onError }: ItemContext,
): Promise<T | undefined> {
  try {
    return await run()
  } catch (error) {
    onError(error, key)
    return undefined
  }
}

async function refuse(
  key: SessionKey,
  held: HeldForPush | undefined,
  item: PushItem,
  verdict: Exclude<PushVerdict, { type: 'accepted' }>,
  { store, flowOf }: ItemContext,
): Promise<ItemAnswer | undefined> {
  const { session } = key
  switch (verdict.type) {
    case 'held': {
      const { flow, status } = held!.meta
      const validated = flowOf(flow) !== undefined
      return {
        outcome: { type: 'accepted', session, rev: verdict.rev, validated },
        isDone: status === 'done',
      }
    }
    case 'stale': {
      const snapshot = await store.read(key, item.base)
      if (snapshot === undefined) return undefined
      return { outcome: { type: 'stale', session, snapshot: toWireSnapshot(snapshot) }, isDone: false }
    }
    case 'unknown':
      return { outcome: { type: 'unknown', session }, isDone: false }
    case 'rejected':
      return rejected(session, verdict.reason, verdict.issues)
  }
}

/** The answers of the submitted steps only; what was left behind on another branch is not submitted. */
function submissionOf({ meta }: PushWrite, answers: Answers, validated: boolean, at: number): Submission {
  const submitted = (meta.submitted ?? []).filter((step) => Object.hasOwn(answers, step))
  const chosen = Object.fromEntries(submitted.map((step) => [step, answers[step] as unknown as Json]))
  return { flow: meta.flow, answers: canonicalJson(chosen), validated, at, isDelivered: false }
}

function rejected(session: string, reason: string, issues: readonly FieldIssue[] = []): ItemAnswer {
  return { outcome: { type: 'rejected', session, reason, issues }, isDone: false }
}
