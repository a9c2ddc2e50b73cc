/**
 * What a push does to a server's copy of one session: one pure function, shared by every server there is here.
 *
 *   not held, base named ────────────────────────────────▶ unknown
 *   an entry is damaged, foreign, or differs from its twin ▶ rejected
 *   every entry is held ─────────────────────────────────▶ held        nothing is written, whatever `base` says
 *   … but not all that came with them is in the push ─────▶ stale       the client lost some, or sends it in parts
 *   base is not the current rev ─────────────────────────▶ stale
 *   chain does not link · answers malformed ──────────────▶ rejected
 *   else ────────────────────────────────────────────────▶ accepted    with what to write: where the session has
 *                                                                       ended, the entries alone
 *
 * Invariants
 * - The same push twice has the effect of once. A replay is answered with the rev under which its entries were
 *   accepted, not with the rev of now: what others did since has not been seen by this client, and a client that was
 *   told the newest rev would push over it. For the same reason a push of some of the entries that made a rev is not
 *   answered with it: a client that lost the others, as in a power cut, has not got the state of that rev.
 * - Every accepted push adds an entry and makes a new rev.
 * - Once a session has ended, nothing changes its answers, status or what was submitted. What other devices entered
 *   before they knew is kept with the entries, so that none of them is left with something it can never send.
 */
import { canonicalJson } from '../base/canonical.ts'
import type { Random } from '../base/ids.ts'
import { isJsonObject } from '../base/json.ts'
import { parsePointer } from '../base/patch.ts'
import type { Entry } from '../record/entry.ts'
import { parseJson } from '../record/guard.ts'
import { conflictsPart } from '../record/parts.ts'
import { isEnded, type StepId } from '../record/state.ts'
import {
  countOf,
  currentRev,
  type HeldForPush,
  type HeldStep,
  nextRev,
  type PushNeeds,
  type PushWrite,
  rememberedRevs,
  type Stamp,
} from './held.ts'
import {
  chainFault,
  type FreshEntry,
  headsAfter,
  isWellFormed,
  isWriter,
  verifyEntries,
} from './verify-entries.ts'
import type { FieldIssue, PushItem, WireSteps } from './wire.ts'

export type PushVerdict =
  | { readonly type: 'accepted'; readonly write: PushWrite }
  /** Nothing is new; `rev` is the one this push was accepted under before. */
  | { readonly type: 'held'; readonly rev: string }
  /** Answer with the snapshot since `base`. */
  | { readonly type: 'stale' }
  | { readonly type: 'unknown' }
  | { readonly type: 'rejected'; readonly reason: string; readonly issues: readonly FieldIssue[] }

/** Judges one push against what is held; `undefined` where the session is not. Total over well-shaped items. */
export function applyPush(
  held: HeldForPush | undefined,
  item: PushItem,
  options: { readonly random: Random },
): PushVerdict {
  if (held === undefined && item.base !== null) return { type: 'unknown' }
  const verdict = verifyEntries(item, held)
  if (verdict.type === 'rejected') return rejected(verdict.reason)
  const { fresh, heldRev, isPart } = verdict
  if (fresh.length === 0) {
    if (heldRev !== undefined) return isPart ? { type: 'stale' } : { type: 'held', rev: heldRev }
    if (held === undefined || Object.keys(item.changed).length > 0) return rejected('empty-push')
    return item.base === currentRev(held) ? { type: 'held', rev: currentRev(held) } : { type: 'stale' }
  }
  if (held !== undefined && item.base !== currentRev(held)) return { type: 'stale' }
  const fault = chainFault(fresh, held)
  if (fault !== undefined) return rejected(fault)
  const hasEnded = held !== undefined && isEnded(held.meta.status)
  // Nothing changes an ended session any more, but for what is offered of what came too late.
  const changed = hasEnded ? lateOf(item.changed) : item.changed
  const issues = answerFaults(changed)
  if (issues.length > 0) return rejected('answers-malformed', issues)
  const rev = nextRev(held, fresh.length, options.random)
  return {
    type: 'accepted',
    write: {
      rev,
      revs: [...(held?.revs ?? []), rev].slice(-rememberedRevs),
      meta: hasEnded ? held.meta : item.meta,
      heads: headsAfter(held?.heads ?? {}, fresh),
      at: fresh.reduce((at, { entry }) => Math.max(at, entry.at), held?.at ?? 0),
      entries: fresh.map(({ record }) => record),
      steps: changedSteps(held, changed, fresh, countOf(rev)),
    },
  }
}

/** What to load before {@link applyPush}: the pushed entries that may be held, and the steps that change. */
export function pushNeeds(item: PushItem): PushNeeds {
  const entries = item.entries.flatMap(({ c }) => {
    const header = parseJson(c)
    if (!isJsonObject(header)) return []
    const { writer, n } = header
    return isWriter(writer) && Number.isSafeInteger(n) ? [{ writer, n: n as number }] : []
  })
  return { entries, steps: Object.keys(item.changed) }
}

/** What keeps `changed` from being answers in canonical form. Messages never repeat an answer. */
function answerFaults(changed: WireSteps): FieldIssue[] {
  const issues: FieldIssue[] = []
  for (const [step, text] of Object.entries(changed)) {
    if (text === null) continue
    const value = isWellFormed(text) ? parseJson(text) : undefined
    const isRight = typeof value === 'object' && value !== null && canonicalJson(value) === text
    if (!isRight)
      issues.push({ step, path: '', message: 'The answers are not an object or list in canonical JSON.' })
  }
  return issues
}

function lateOf(changed: WireSteps): WireSteps {
  const text = changed[conflictsPart]
  return text === undefined ? {} : { [conflictsPart]: text }
}

function changedSteps(
  held: HeldForPush | undefined,
  changed: WireSteps,
  fresh: readonly FreshEntry[],
  count: number,
): HeldStep[] {
  const stamps = touches(fresh.map(({ entry }) => entry))
  return Object.entries(changed).map(([step, text]) => {
    const { at, writer } = newer(
      held?.stamps.get(step),
      newer(stamps.every, stamps.byStep.get(step)) ?? stamps.newest,
    )!
    return { step, text, count, at, writer }
  })
}

/** The newest entry touching each step, touching every step, and of all. */
function touches(entries: readonly Entry[]): {
  readonly byStep: ReadonlyMap<StepId, Stamp>
  readonly every: Stamp | undefined
  readonly newest: Stamp | undefined
} {
  const byStep = new Map<StepId, Stamp>()
  let every: Stamp | undefined
  let newest: Stamp | undefined
  for (const entry of entries) {
    newest = newer(newest, entry)
    for (const change of entry.changes ?? []) {
      if (change.type === 'set') byStep.set(change.step, newer(byStep.get(change.step), entry)!)
      else if (change.type === 'started' || change.type === 'restarted') every = newer(every, entry)
      else if (change.type === 'merged') {
        for (const { path } of change.patch) {
          const [root, step] = parsePointer(path)
          if (root === 'answers' && step !== undefined) byStep.set(step, newer(byStep.get(step), entry)!)
          else if (root === 'answers' || root === undefined) every = newer(every, entry)
        }
      }
    }
  }
  return { byStep, every, newest }
}

function newer(a: Stamp | undefined, b: Stamp | undefined): Stamp | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return b.at > a.at || (b.at === a.at && b.writer > a.writer) ? b : a
}

function rejected(reason: string, issues: readonly FieldIssue[] = []): PushVerdict {
  return { type: 'rejected', reason, issues }
}
