/**
 * What a server holds of a session, and what one push adds to it: the shapes between the pure rules of this room and
 * whatever stores them. A store loads a {@link HeldForPush}, hands it to `applyPush`, and writes the {@link PushWrite}
 * it gets back, all of it or nothing, and only where the session's rev is still the one it loaded.
 */
import { createId, type Random } from '../base/ids.ts'
import type { ChainHeads } from '../record/entry.ts'
import type { StepId } from '../record/state.ts'
import type { WireMeta } from './wire.ts'

export interface SessionKey {
  readonly account: string
  readonly session: string
}

/** What of a session one push needs to see. */
export interface PushNeeds {
  readonly entries: readonly { readonly writer: string; readonly n: number }[]
  readonly steps: readonly StepId[]
}

export interface Stamp {
  readonly at: number
  readonly writer: string
}

export interface HeldSession {
  /** The latest revs, oldest first and never empty; the last is the current one. Older ones are unknown. */
  readonly revs: readonly string[]
  readonly meta: WireMeta
  readonly heads: ChainHeads
  /** Largest hybrid stamp among the entries. */
  readonly at: number
}

export interface HeldForPush extends HeldSession {
  /** By entry id, those of the pushed entries that are held: their hash, and the rev they were accepted under. */
  readonly entries: ReadonlyMap<string, { readonly hash: string; readonly rev: string }>
  /** Stamps of the held steps among those the push changes. */
  readonly stamps: ReadonlyMap<StepId, Stamp>
}

export interface HeldStep extends Stamp {
  readonly step: StepId
  /** Canonical text; `null` where the answers were removed, kept so that later pulls learn of it. */
  readonly text: string | null
  /** The count in the rev that last changed it. */
  readonly count: number
}

/** An entry as a server keeps it. */
export interface HeldEntry {
  readonly writer: string
  readonly n: number
  readonly hash: string
  readonly c: string
  readonly p?: string
  readonly s?: string
}

/** What one accepted push writes. `entries` are new; `steps` replace what is held of them. */
export interface PushWrite extends HeldSession {
  readonly rev: string
  readonly entries: readonly HeldEntry[]
  readonly steps: readonly HeldStep[]
}

/** How many revs a server remembers: whoever is further behind is sent the whole session. */
export const rememberedRevs = 32

export function currentRev(held: HeldSession): string {
  return held.revs[held.revs.length - 1]!
}

/**
 * A rev counts up, says how many entries it brought, and is random, so that a server restored from a backup never gives
 * the same one twice: `12-3hk2m0qs1d.4`.
 */
export function nextRev(held: HeldSession | undefined, entries: number, random: Random): string {
  const count = held === undefined ? 1 : countOf(currentRev(held)) + 1
  return `${count}-${createId(random, 10)}.${entries}`
}

/** The number a rev begins with. */
export function countOf(rev: string): number {
  return Number.parseInt(rev, 10)
}

/** How many entries a rev brought; 0 where it does not say. */
export function entriesOf(rev: string): number {
  return Number(rev.split('.')[1] ?? 0)
}
