/**
 * The heads of one account on this device: what there is, which ids are spent.
 *
 * Invariants
 * - An id is never used again on this device: neither of a removed session nor of one that was claimed. A marker beside
 *   the head says why.
 * - A head that cannot be read hides no session.
 */
import type { Clock } from '../base/clock.ts'
import { WaymarkError } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { Flow } from '../flow/definition.ts'
import { type Head, readHead } from '../record/head.ts'
import { type Range, type Store, storeNames } from '../store/store.ts'
import { isNewer, mendHead } from './mend-head.ts'

export interface HeadList {
  read(): Promise<readonly Head[]>
  /** Rejects with `session-unknown` where there is none. */
  one(id: string): Promise<Head>
  /** The id that a flow and key have next: the same in every tab, and on every device where nothing was removed. */
  nextId(flow: string, key: string): Promise<string>
  /** Deletes everything stored of a session. */
  remove(id: string): Promise<void>
  /** Takes over the sessions of someone not signed in; resolves with their ids. */
  claim(): Promise<readonly string[]>
}

/** Beside a head: why its id is not to be used again. */
export interface Marker {
  readonly v: 1
  readonly session: string
  readonly fate: 'removed' | 'claimed'
}

interface Found {
  readonly heads: readonly Head[]
  readonly spent: ReadonlySet<string>
}

function isMarker(value: unknown): value is Marker {
  const { v, session, fate } = (value ?? {}) as Partial<Marker>
  return v === 1 && typeof session === 'string' && (fate === 'removed' || fate === 'claimed')
}

/** The marker of a spent id. */
export function spentRange(account: string, id: string): Range {
  return { store: 'heads', prefix: [account, id, 'fate'] }
}

export function createHeadList(of: {
  readonly account: string
  readonly store: Promise<Store>
  readonly flowById: ReadonlyMap<string, Flow>
  readonly clock: Clock
  readonly onUnreadable: (id: string) => void
}): HeadList {
  const { account, flowById, clock, onUnreadable } = of

  async function readAll(owner: string): Promise<Found> {
    const [values = []] = await (await of.store).read([{ store: 'heads', prefix: [owner] }])
    const heads: Head[] = []
    const spent = new Set<string>()
    for (const value of values) {
      const head = readHead(value)
      if (head !== undefined) heads.push(head)
      else if (isMarker(value)) spent.add(value.session)
      else return readByKey(owner)
    }
    return { heads: heads.filter(({ id }) => !spent.has(id)), spent }
  }

  /** Whose a head is that cannot be read, only its key says. */
  async function readByKey(owner: string): Promise<Found> {
    const store = await of.store
    const all: Range = { store: 'heads', prefix: [owner] }
    const [values = [], keys = []] = await store.read([all, { ...all, isKeys: true }])
    const places = (keys as string[][]).map(([, id = '', fate]) => ({ id, fate }))
    const spent = new Set(places.flatMap(({ id, fate }) => (fate === undefined ? [] : id)))
    const heads: Head[] = []
    for (const [i, found] of values.entries()) {
      const { id, fate } = places[i]!
      if (fate !== undefined || spent.has(id)) continue
      const head = readHead(found) ?? (await mendHead({ store, account: owner, id, found, flowById, clock }))
      if (head !== undefined) heads.push(head)
      if (head !== found && !isNewer(found)) onUnreadable(id)
    }
    return { heads, spent }
  }

  const marker = (owner: string, session: string, fate: Marker['fate']) => ({
    store: 'heads' as const,
    key: [owner, session, 'fate'],
    value: { v: 1, session, fate } satisfies Marker,
  })

  return {
    read: async () => (await readAll(account)).heads,
    async one(id) {
      const head = (await readAll(account)).heads.find((one) => one.id === id)
      if (head !== undefined) return head
      throw new WaymarkError('session-unknown', `This account has no session "${id}" on this device.`, {
        details: { session: id },
      })
    },
    async nextId(flow, key) {
      const { heads, spent } = await readAll(account)
      const taken = new Set([...spent, ...heads.map((head) => head.id)])
      for (let n = 0; ; n++) {
        const id = sha256(JSON.stringify([account, flow, key, n])).slice(0, 26)
        if (!taken.has(id)) return id
      }
    },
    async remove(id) {
      const others = storeNames.filter((name) => name !== 'heads')
      await (await of.store).write({
        durability: 'strict',
        remove: [
          { store: 'heads', prefix: [account, id] },
          ...others.map((store): Range => ({ store, prefix: [id] })),
        ],
        put: [marker(account, id, 'removed')],
      })
    },
    async claim() {
      const { heads } = await readAll('')
      await (await of.store).write({
        durability: 'strict',
        remove: heads.map((head) => ({ store: 'heads', prefix: ['', head.id] })),
        put: heads.flatMap((head) => [
          { store: 'heads' as const, key: [account, head.id], value: { ...head, account } },
          marker('', head.id, 'claimed'),
        ]),
      })
      return heads.map((head) => head.id)
    },
  }
}
