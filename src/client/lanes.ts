/**
 * The journals this page has open, one for each session in use.
 *
 *   session ─┐
 *   sync ────┼─► lane { journal, session } ─► closed when nobody holds it
 *
 * Invariants
 * - A journal is open once, whoever asks for it at the same time, and one that was let go of is closed before it is opened
 *   again; one that was evicted is another's, or gone.
 * - What could not be stored is not let go of: releasing rejects with the reason, and the session stays open.
 */
import type { Flow } from '../flow/definition.ts'
import type { Journal } from '../journal/journal.ts'
import type { Head } from '../record/head.ts'
import type { SessionState } from '../record/state.ts'
import type { SessionHandle } from '../session/create-session.ts'
import type { Store } from '../store/store.ts'

export interface Lane {
  readonly flow: Flow
  readonly key: string
  readonly journal: Promise<Journal>
  readonly toHead: (state: SessionState) => Head
  handle: SessionHandle | undefined
  /** Who keeps the journal open: sync, and the session as one. */
  holders: number
  /** How often the session is open. */
  openers: number
}

export interface LaneStart {
  readonly id: string
  readonly flow: Flow
  readonly head: { readonly key: string; readonly createdAt?: number }
}

export interface Lanes {
  get(id: string): Lane | undefined
  ids(): readonly string[]
  all(): Iterable<readonly [string, Lane]>
  /** The journal of a session, until `drop`. */
  hold(start: LaneStart): Promise<{ readonly lane: Lane; readonly journal: Journal }>
  /** Lets go; the last one closes the journal. */
  drop(id: string, lane: Lane): Promise<void>
  /** One opener less; the last one ends the session, once everything of it is stored. */
  release(id: string, lane: Lane): Promise<void> | undefined
  /** Ends a session at once, whoever holds it; `isGone` where what is stored of it is no more. */
  evict(id: string, isGone: boolean): Promise<void>
}

export function createLanes(of: {
  readonly store: Promise<Store>
  readonly assertOpen: () => void
  readonly openJournal: (
    store: Store,
    start: LaneStart,
    lane: () => Lane | undefined,
  ) => Pick<Lane, 'journal' | 'toHead'>
}): Lanes {
  const lanes = new Map<string, Lane>()
  const closing = new Map<string, Promise<void>>()

  function make(store: Store, start: LaneStart): Lane {
    const { flow, head } = start
    let lane: Lane | undefined
    const opened = of.openJournal(store, start, () => lane)
    lane = { flow, key: head.key, ...opened, handle: undefined, holders: 0, openers: 0 }
    return lane
  }

  async function drop(id: string, lane: Lane): Promise<void> {
    lane.holders -= 1
    if (lane.holders > 0 || lanes.get(id) !== lane) return
    lanes.delete(id)
    const closed = lane.journal.then((journal) => journal.close()).finally(() => closing.delete(id))
    closing.set(id, closed)
    await closed
  }

  async function releaseLast(id: string, lane: Lane): Promise<void> {
    const journal = await lane.journal
    await journal.settled()
    if (lane.openers > 0 || lane.handle === undefined) return
    if (journal.marks.failure !== undefined) {
      lane.openers += 1
      throw journal.marks.failure
    }
    end(lane)
    await drop(id, lane)
  }

  function end(lane: Lane): void {
    lane.handle?.end()
    lane.handle = undefined
    lane.openers = 0
  }

  return {
    get: (id) => lanes.get(id),
    ids: () => [...lanes.keys()],
    all: () => lanes,
    async hold(start) {
      const { id } = start
      const store = await of.store
      await closing.get(id)
      of.assertOpen()
      const lane = lanes.get(id) ?? make(store, start)
      lanes.set(id, lane)
      lane.holders += 1
      try {
        return { lane, journal: await lane.journal }
      } catch (error) {
        if (lanes.get(id) === lane) lanes.delete(id)
        throw error
      }
    },
    drop,
    release(id, lane) {
      lane.openers -= 1
      return lane.openers > 0 ? undefined : releaseLast(id, lane)
    },
    async evict(id, isGone) {
      const lane = lanes.get(id)
      if (lane === undefined) return
      lanes.delete(id)
      end(lane)
      await (await lane.journal).close({ isDiscarding: isGone })
    },
  }
}
