import { sha256 } from '../base/hash.ts'
import {
  type ChainHead,
  type ChainHeads,
  type Entry,
  entryId,
  noChain,
  unpackEntry,
} from '../record/entry.ts'
import { countOf, entriesOf, type HeldEntry, type HeldForPush } from './held.ts'
import type { PushItem } from './wire.ts'

/** One pushed entry the server does not hold: what it says, and the text to keep. */
export interface FreshEntry {
  readonly entry: Entry
  readonly record: HeldEntry
}

export type EntriesVerdict =
  | {
      readonly type: 'verified'
      readonly fresh: readonly FreshEntry[]
      /** The newest rev under which an entry of this push was accepted before. */
      readonly heldRev?: string
      /** True where such a rev brought other entries too. */
      readonly isPart: boolean
    }
  | { readonly type: 'rejected'; readonly reason: string }

const writerPattern = /^[A-Za-z0-9][\w.~-]{0,63}$/
const saltPattern = /^[\x20-\x7e]{0,128}$/
const loneSurrogate = /\p{Surrogate}/u

/** Tells a writer's id a server takes. */
export function isWriter(value: unknown): value is string {
  return typeof value === 'string' && writerPattern.test(value)
}

/** Verifies every pushed entry by itself and tells those the server holds from those it does not. */
export function verifyEntries(item: PushItem, held: HeldForPush | undefined): EntriesVerdict {
  const fresh: FreshEntry[] = []
  const hashById = new Map<string, string>()
  const heldByRev = new Map<string, Set<string>>()
  let heldRev: string | undefined
  for (const { c, p, s } of item.entries) {
    if (!isWellFormed(c) || !isWellFormed(p ?? '') || !saltPattern.test(s ?? '')) {
      return rejected('entry-damaged')
    }
    const hash = sha256(c)
    const body = { ...(p === undefined ? {} : { p }), ...(s === undefined ? {} : { s }) }
    const outcome = unpackEntry({ v: 1, h: hash, c, ...body })
    if (outcome.type === 'newer') return rejected('entry-newer')
    if (outcome.type === 'damaged') return rejected('entry-damaged')
    const { entry } = outcome
    if (entry.session !== item.session) return rejected('entry-foreign')
    if (!isWriter(entry.writer)) return rejected('entry-damaged')
    const id = entryId(entry)
    const mark = held?.entries.get(id)
    const known = mark?.hash ?? hashById.get(id)
    if (known !== undefined && known !== hash) return rejected('writer-forked')
    if (mark !== undefined) {
      if (heldRev === undefined || countOf(mark.rev) > countOf(heldRev)) heldRev = mark.rev
      heldByRev.set(mark.rev, (heldByRev.get(mark.rev) ?? new Set()).add(id))
    }
    if (known !== undefined) continue
    hashById.set(id, hash)
    fresh.push({ entry, record: { writer: entry.writer, n: entry.n, hash, c, ...body } })
  }
  const isPart = [...heldByRev].some(([rev, ids]) => ids.size < entriesOf(rev))
  return { type: 'verified', fresh, isPart, ...(heldRev === undefined ? {} : { heldRev }) }
}

/**
 * Checks that new entries fit their writers' chains; the reason why not, or `undefined`. A gap is no fault: an entry
 * that was damaged on the device will never come, and must not hold back what was entered after it. The missing number
 * shows the gap for good; an entry that turns up later fills it. Only the next number must link to the head.
 */
export function chainFault(
  fresh: readonly FreshEntry[],
  held: HeldForPush | undefined,
): 'writer-forked' | undefined {
  const heads = new Map(Object.entries(held?.heads ?? {}))
  for (const { entry } of fresh) {
    const tip = heads.get(entry.writer) ?? noChain
    if (entry.n === tip.n + 1 && entry.prev !== tip.hash) return 'writer-forked'
    withHead(heads, entry)
  }
  return undefined
}

/** The heads after new entries: a writer's highest number, whatever order they came in. */
export function headsAfter(heads: ChainHeads, fresh: readonly FreshEntry[]): ChainHeads {
  return Object.fromEntries(
    fresh.reduce((after, { entry }) => withHead(after, entry), new Map(Object.entries(heads))),
  )
}

function withHead(heads: Map<string, ChainHead>, { writer, n, hash }: Entry): Map<string, ChainHead> {
  return n > (heads.get(writer) ?? noChain).n ? heads.set(writer, { n, hash }) : heads
}

/** Tells text without a lone surrogate; such text has one UTF-8 form and can be stored by any database. */
export function isWellFormed(text: string): boolean {
  return !loneSurrogate.test(text)
}

function rejected(reason: string): EntriesVerdict {
  return { type: 'rejected', reason }
}
