/** The shapes a request must have. The envelope is checked first, then each item by itself: one bad item spoils no other. */
import { z } from 'zod'
import { isWellFormed } from '../protocol/verify-entries.ts'
import {
  type PullItem,
  type PushItem,
  protocolVersion,
  type SyncItem,
  type SyncOutcome,
} from '../protocol/wire.ts'
import { isStatus } from '../record/guard.ts'
import type { Status } from '../record/state.ts'
import { exceedsBytes, type SyncLimits } from './limits.ts'

const sessionPattern = /^[A-Za-z0-9][\w.:~-]{0,127}$/
/** No control characters, which neither people nor databases take well in a name. */
const namePattern = /^[^\p{Cc}\p{Surrogate}]{1,200}$/u

const sessionId = z.string().regex(sessionPattern)
const stepId = z.string().refine(isStepId)
const rev = z.string().regex(/^[\x21-\x7e]{1,64}$/)

const flowRef = z.object({
  id: z.string().regex(namePattern),
  version: z.number().refine(Number.isFinite),
  hash: z.string().max(200).refine(isWellFormed),
})

const meta = z.object({
  flow: flowRef,
  key: z.string().max(512),
  status: z.custom<Status>(isStatus),
  step: stepId,
  finished: stepMap(z.enum(['valid', 'skipped'])),
  visited: stepMap(z.literal(true)),
  submitted: z.array(stepId).optional(),
})

const push = z.object({
  type: z.literal('push'),
  session: sessionId,
  base: rev.nullable(),
  entries: z.array(z.object({ c: z.string(), p: z.string().optional(), s: z.string().optional() })),
  changed: stepMap(z.string().nullable()),
  meta,
})

const pull = z.object({ type: z.literal('pull'), session: sessionId, since: rev.nullable() })

const envelope = z.object({
  protocol: z.literal(protocolVersion),
  account: z.string().max(512),
  items: z.array(z.looseObject({ session: sessionId })),
})

export interface RequestEnvelope {
  readonly account: string
  readonly items: readonly { readonly session: string }[]
}

/** The envelope of a sync request, its items unchecked but for their session; or the place of the first fault. */
export function readEnvelope(value: unknown): RequestEnvelope | { readonly fault: string } {
  const result = envelope.safeParse(value)
  return result.success ? result.data : { fault: placeOf(result.error) }
}

/** One item as it must be, or the outcome that says why it is not. */
export function readItem(
  value: { readonly session: string },
  limits: SyncLimits,
): { readonly item: SyncItem } | { readonly outcome: SyncOutcome } {
  const { session } = value
  const isPush = (value as { readonly type?: unknown }).type === 'push'
  const result = (isPush ? push : pull).safeParse(value)
  if (!result.success) {
    const path = placeOf(result.error)
    return { outcome: { type: 'rejected', session, reason: 'item-malformed', issues: [issueAt(path)] } }
  }
  const item = result.data as PushItem | PullItem
  const outcome = item.type === 'push' ? boundsFault(item, limits) : undefined
  return outcome === undefined ? { item } : { outcome }
}

function boundsFault(item: PushItem, limits: SyncLimits): SyncOutcome | undefined {
  const { session, entries, changed } = item
  if (entries.length > limits.entries) return rejected(session, 'too-many-entries')
  const { finished, visited, submitted = [] } = item.meta
  const counts = [Object.keys(changed), Object.keys(finished), Object.keys(visited), submitted]
  if (counts.some(({ length }) => length > limits.steps)) return rejected(session, 'too-many-steps')
  for (const { c, p = '', s = '' } of entries) {
    if (exceedsBytes(c + p + s, limits.entryBytes)) {
      return { type: 'too-large', session, limitBytes: limits.entryBytes }
    }
  }
  for (const text of Object.values(changed)) {
    if (text !== null && exceedsBytes(text, limits.stepBytes)) {
      return { type: 'too-large', session, limitBytes: limits.stepBytes }
    }
  }
  return undefined
}

function rejected(session: string, reason: string): SyncOutcome {
  return { type: 'rejected', session, reason, issues: [] }
}

/** Not `z.record`: it drops a member named `__proto__` without a word, and a dropped answer is a lost one. */
function stepMap<T>(member: z.ZodType<T>) {
  return z
    .custom<{ readonly [step: string]: T }>(
      (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    )
    .refine((map) => Object.entries(map).every(([step, v]) => isStepId(step) && member.safeParse(v).success))
}

function isStepId(value: string): boolean {
  return namePattern.test(value) && value !== '__proto__'
}

/** Where it is wrong, in the names of this protocol; never what was there. */
function placeOf(error: z.ZodError): string {
  return `/${(error.issues[0]?.path ?? []).map(String).join('/')}`
}

function issueAt(path: string): { step: string; path: string; message: string } {
  return { step: '', path, message: 'This member of the item is missing or malformed.' }
}
