/** A client in a few lines: one writer's chain in one session, and pushes made of it. */
import { canonicalJson } from '../base/canonical.ts'
import type { Json } from '../base/json.ts'
import type { PushItem, WireMeta } from '../protocol/wire.ts'
import { type ChainHead, type EntryRecord, noChain, packEntry } from '../record/entry.ts'
import type { Change, FlowRef } from '../record/state.ts'

export const flow: FlowRef = { id: 'mortgage', version: 3, hash: 'f3' }

export const runningMeta: WireMeta = {
  flow,
  key: 'application-17',
  status: 'running',
  step: 'applicant',
  finished: {},
  visited: { applicant: true },
}

export interface Author {
  /** Appends an entry and returns it. */
  write(changes: readonly Change[], at?: number): EntryRecord
  /** A push of the given entries; `changed` values are written as canonical JSON. */
  push(options: {
    readonly base: string | null
    readonly entries: readonly EntryRecord[]
    readonly changed?: { readonly [step: string]: Json }
    readonly meta?: Partial<WireMeta>
  }): PushItem
  /** Sets one step to `value` and pushes that. */
  set(base: string | null, step: string, value: Json, meta?: Partial<WireMeta>): PushItem
  readonly head: ChainHead
}

export function createAuthor(session: string, writer: string, startAt = 1_000): Author {
  let head = noChain
  let clock = startAt
  const author: Author = {
    write(changes, at = clock++) {
      const record = packEntry({ session, writer, after: head, at, salt: 'salt', changes })
      head = { n: head.n + 1, hash: record.h }
      return record
    },
    push: ({ base, entries, changed = {}, meta }) => ({
      type: 'push',
      session,
      base,
      entries: entries.map(({ c, p, s }) => ({
        c,
        ...(p === undefined ? {} : { p }),
        ...(s === undefined ? {} : { s }),
      })),
      changed: Object.fromEntries(
        Object.entries(changed).map(([step, value]) => [step, value === null ? null : canonicalJson(value)]),
      ),
      meta: { ...runningMeta, ...meta },
    }),
    set: (base, step, value, meta) =>
      author.push({
        base,
        entries: [author.write([setChange(step, value)])],
        changed: { [step]: value },
        ...(meta === undefined ? {} : { meta }),
      }),
    get head() {
      return head
    },
  }
  return author
}

export function setChange(step: string, value: Json): Change {
  return { type: 'set', step, patch: [{ op: 'add', path: '', value }] }
}
