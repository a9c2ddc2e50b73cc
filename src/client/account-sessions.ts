/**
 * The sessions of one account on this page, and what can be done with them.
 *
 * Invariants
 * - Everything here belongs to the account it was made for, whatever account comes after: signing in as someone else
 *   closes all of it and makes another.
 * - Nothing is let go of that could not be stored: closing rejects with the reason, and everything stays open.
 */
import type { Clock, HybridClock } from '../base/clock.ts'
import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import type { Random } from '../base/ids.ts'
import { loadChunk } from '../base/load-chunk.ts'
import { type Flow, sensitiveFieldsOf } from '../flow/definition.ts'
import { isCheckpointDue } from '../flow/is-checkpoint-due.ts'
import { policiesOf } from '../flow/policies-of.ts'
import type { Journal } from '../journal/journal.ts'
import { openJournal } from '../journal/open-journal.ts'
import type { Damage } from '../journal/restore.ts'
import { firstStep } from '../machine/plan.ts'
import type { ImportOutcome } from '../portable/import-session.ts'
import type { Backend } from '../protocol/backend.ts'
import type { Head } from '../record/head.ts'
import { initialState } from '../record/state.ts'
import { createSession } from '../session/create-session.ts'
import type { Session } from '../session/session.ts'
import type { AtRisk } from '../session/session-status.ts'
import type { Range, Store } from '../store/store.ts'
import { eraseEverywhere } from './erase-everywhere.ts'
import { expireOverdue } from './expire-overdue.ts'
import type { Forgetting } from './forget-finished.ts'
import { createHeadList, type Marker, spentRange } from './head-list.ts'
import { createHeadMaker } from './heads.ts'
import { holdSyncOf, type SyncHolder } from './hold-sync.ts'
import { createLanes, type Lane, type LaneStart } from './lanes.ts'
import type { ExportOptions, ImportOptions, PortableAccount } from './portability.ts'
import type { TabNews } from './tabs.ts'
import type { TidyOptions, TidyReport } from './tidy.ts'
import { type Locks, turnsOf } from './turns.ts'

export interface AccountSessions {
  readonly account: string
  readonly sync: SyncHolder | undefined
  heads(): Promise<readonly Head[]>
  head(id: string): Promise<Head>
  open(id: string, flow: Flow, head: { key: string; createdAt?: number }): Promise<Session>
  /** The id that a flow and key have next: the same in every tab, and on every device where nothing was removed. */
  nextId(flow: string, key: string): Promise<string>
  remove(id: string, options?: { readonly everywhere?: boolean }): Promise<void>
  tidy(options: TidyOptions): Promise<TidyReport>
  /** Takes over the sessions of someone not signed in. */
  claim(): Promise<void>
  export(options: ExportOptions & { readonly ids?: readonly string[] }): Promise<Blob>
  import(file: Blob | string, options: ImportOptions): Promise<readonly ImportOutcome[]>
  hear(news: TabNews): void
  forEachJournal(use: (journal: Journal) => void): void
  /** Runs `change`, which puts `opened` in the store's place, while every session has its journal open to be stored anew. */
  throughChange(opened: Store, change: () => Promise<void>): Promise<void>
  /** Stores what is local and closes everything; rejects, with everything open, where something cannot be stored. */
  close(): Promise<void>
}

const tryAgainMs = 5_000

export function openAccountSessions(options: {
  readonly account: string
  readonly locks: Locks | undefined
  readonly namespace: string
  readonly store: Promise<Store>
  readonly backend: Backend | undefined
  readonly flowById: ReadonlyMap<string, Flow>
  readonly writer: string
  readonly clock: Clock
  readonly hybrid: HybridClock
  readonly random: Random
  readonly isSyncing: boolean
  /** Others use this device: see `forget-finished.ts`. */
  readonly isShared: boolean
  readonly isEncrypted: boolean
  /** Why nothing stored survives the page, once the store is open. */
  readonly storeProblem: () => AtRisk | undefined
  readonly tell: (news: TabNews) => void
  readonly onSyncChange: () => void
  readonly onError: (error: unknown) => void
}): AccountSessions {
  const { account, backend, flowById, writer, clock, hybrid, random, tell, onError } = options
  let isClosed = false
  let forgetting: Forgetting | undefined
  const lanes = createLanes({ store: options.store, assertOpen, openJournal: openLane })
  const sync =
    backend === undefined
      ? undefined
      : holdSyncOf({
          ...{ account, backend, store: options.store, clock, random, borrowJournal, isOurs, onError },
          takeTurn: turnsOf(`${options.namespace}:${account}`, clock, options.locks),
          isStarted: options.isSyncing,
          openSessions: () => lanes.ids(),
          onSynced: (session) => tell({ type: 'synced', session }),
          onChange(session) {
            for (const [id, lane] of lanes.all()) {
              if (session === undefined || session === id) lane.handle?.onSyncChange()
            }
            if (session === undefined) forgetting?.lookAtAll()
            else forgetting?.look(session)
            options.onSyncChange()
          },
        })

  const list = createHeadList({
    ...{ account, store: options.store, flowById, clock },
    onUnreadable: (id) => onError(unreadable(id, [{ place: 'head', reason: 'does not verify', row: null }])),
  })
  const isOpen = (id: string) => lanes.get(id)?.handle !== undefined

  function assertOpen(): void {
    if (!isClosed) return
    throw new WaymarkError('closed', 'Waymark was closed or the account changed. Open the session again.')
  }

  function openLane(
    store: Store,
    { id, flow, head }: LaneStart,
    lane: () => Lane | undefined,
  ): Pick<Lane, 'journal' | 'toHead'> {
    const { key, createdAt = clock.now() } = head
    const toHead = createHeadMaker({ id, account, flow, clock, key, createdAt })
    const journal = openJournal({
      ...{ store, session: id, writer, clock, hybrid, random },
      policyOf: policiesOf(flow, onError),
      start: { flow: flow.ref, step: firstStep(flow), key },
      isCheckpointDue: (changes) => isCheckpointDue(flow, changes),
      toHead,
      onEvent(event) {
        if (event.type === 'stored') {
          tell({ type: 'stored', session: id })
          if (event.isEntry) sync?.note(id)
          if (event.isEntry) forgetting?.look(id)
        }
        if (event.type === 'seeded') sync?.unmark(id)
        if (event.type === 'damaged') onError(unreadable(id, event.damage))
        if (event.type === 'error') onError(event.error)
        lane()?.handle?.onJournalEvent(event)
      },
    })
    return { journal, toHead }
  }

  async function borrowJournal(id: string) {
    const found = lanes.get(id) ?? (await list.one(id))
    const flow = 'journal' in found ? found.flow : flowById.get(found.flow.id)
    if (flow === undefined) throw unknownFlow('journal' in found ? found.flow.id : found.flow.id)
    const { lane, journal } = await lanes.hold({ id, flow, head: found })
    return { journal, key: lane.key, release: () => void lanes.drop(id, lane).catch(onError) }
  }

  async function catchUp(id: string): Promise<void> {
    if (lanes.get(id) !== undefined && (await isOurs(id))) await (await lanes.get(id)?.journal)?.catchUp()
  }

  /** Only what was begun without signing in becomes another's; a tab that did not hear of that finds it out here. */
  async function isOurs(id: string): Promise<boolean> {
    if (account !== '') return true
    const [markers = []] = await (await options.store).read([spentRange(account, id)])
    if (!markers.some((marker) => (marker as Marker).fate === 'claimed')) return true
    // What could not be stored is in this page only, and stays until it is; nothing of it is sent meanwhile.
    if ((await (await lanes.get(id)?.journal)?.settled()) !== false) await lanes.evict(id, false)
    return false
  }

  /** A journal that cannot be stored yet is the only place its session is in. */
  async function releaseOnceStored(of: { journal: Journal; release: () => void }): Promise<void> {
    if (isClosed || (await of.journal.settled())) of.release()
    else clock.after(tryAgainMs, () => void releaseOnceStored(of))
  }

  const sessions: AccountSessions = {
    account,
    sync,
    async heads() {
      const heads = await list.read()
      // With a server other devices may have gone on: whoever opens the session asks it first.
      if (backend !== undefined) return heads
      const overdue = { heads, flowById, now: clock.now(), isOpen, borrowJournal }
      const ended = await expireOverdue(overdue)
      if (ended.length === 0) return heads
      const left = await list.read()
      // Removed by another tab while it was being ended: nothing of it may stay.
      for (const id of ended) if (!left.some((head) => head.id === id)) await list.remove(id)
      return left
    },
    head: list.one,
    nextId: list.nextId,
    async open(id, flow, head) {
      const { lane, journal } = await lanes.hold({ id, flow, head })
      const stored = journal.storedState
      const isNewer = stored !== undefined && stored.flow.version > flow.version
      if (isClosed || isNewer) {
        await lanes.drop(id, lane)
        assertOpen()
        throw outdated(id, flow, stored?.flow.version ?? 0)
      }
      // No `await` from here on: callers at the same time must find one session, which holds the journal once.
      lane.openers += 1
      if (lane.handle !== undefined) lane.holders -= 1
      lane.handle?.keep()
      lane.handle ??= createSession(journal, {
        ...{ flow, key: lane.key, clock, random, onError },
        sync: sync?.portOf(id),
        storeProblem: options.storeProblem,
        async readQuarantine() {
          const { readQuarantine } = await import('../journal/quarantine.ts')
          return readQuarantine(await options.store, id)
        },
        async readLedger() {
          const { readLedger } = await import('../journal/ledger.ts')
          return readLedger({
            store: await options.store,
            session: id,
            initial: initialState(flow.ref, firstStep(flow)),
            isCheckpoint: (changes) => isCheckpointDue(flow, changes),
          })
        },
        toFile: (options) => sessions.export({ ...options, ids: [id] }),
        release: () => lanes.release(id, lane),
      })
      sync?.refresh(id)
      sync?.pull(id)
      return lane.handle.session
    },
    async remove(id, { everywhere = false } = {}) {
      await list.one(id)
      if (everywhere) await eraseEverywhere({ backend, account, session: id, clock })
      await lanes.evict(id, true)
      await list.remove(id)
      tell({ type: 'removed', session: id })
    },
    async claim() {
      for (const session of await list.claim()) {
        tell({ type: 'claimed', session })
        sync?.note(session)
      }
    },
    async tidy(given) {
      const loading = import('./tidy.ts')
      const { tidy } = await loadChunk(loading, 'nothing was removed')
      const store = await options.store
      const { heads, remove } = sessions
      const hasBackend = backend !== undefined
      return tidy({ store, account, clock, hasBackend, heads: await heads(), isOpen, remove }, given)
    },
    export: async (given) => (await loadPortability()).exportSessions(portable, given),
    import: async (file, given) => (await loadPortability()).importSessions(portable, file, given),
    hear({ type, session }) {
      if (type === 'synced') sync?.refresh(session)
      if (type === 'removed') lanes.evict(session, true).catch(onError)
      else if (type === 'claimed' && account === '') lanes.evict(session, false).catch(onError)
      else catchUp(session).catch(onError)
    },
    async throughChange(opened, change) {
      const borrowed: Awaited<ReturnType<typeof borrowJournal>>[] = []
      try {
        for (const head of await list.read()) {
          if (!flowById.has(head.flow.id)) continue
          const found = await borrowJournal(head.id).catch((error: unknown) => {
            if (!isWaymarkError(error, 'session-unknown')) throw error
          })
          if (found !== undefined) borrowed.push(found)
        }
        // Begun without knowing that their ids were spent: what was entered counts more.
        const markers = borrowed.map(({ journal }): Range => spentRange(account, journal.session))
        await opened.write({ durability: 'strict', remove: markers })
        await change()
      } catch (error) {
        for (const { release } of borrowed) release()
        throw error
      }
      for (const one of borrowed) void releaseOnceStored(one)
      sessions.forEachJournal((journal) => void journal.catchUp())
    },
    forEachJournal(use) {
      for (const [, lane] of lanes.all()) lane.journal.then(use, () => {})
    },
    async close() {
      const opened = await Promise.all(
        [...lanes.all()].map(([, lane]) => lane.journal.catch(() => undefined)),
      )
      await Promise.all(opened.map((journal) => journal?.settled()))
      const failure = opened.find((journal) => journal?.marks.failure !== undefined)?.marks.failure
      if (failure !== undefined) throw failure
      isClosed = true
      await sync?.close()
      for (const id of lanes.ids()) await lanes.evict(id, false)
    },
  }
  const portable: PortableAccount = {
    ...{ account, store: options.store, flowById, isEncrypted: options.isEncrypted, now: clock.now, random },
    initialOf: (flow) => initialState(flow.ref, firstStep(flow)),
    sensitiveFieldsOf,
    heads: sessions.heads,
    async openSession(id) {
      const lane = lanes.get(id)
      return lane && { journal: await lane.journal, toHead: lane.toHead }
    },
    async imported(id) {
      tell({ type: 'stored', session: id })
      sync?.note(id)
      await (await lanes.get(id)?.journal)?.catchUp()
    },
  }
  if (options.isShared) startForgetting().catch(onError)
  return sessions

  async function startForgetting(): Promise<void> {
    const loading = import('./forget-finished.ts')
    const { createForgetting } = await loadChunk(loading, 'what is finished stays on this device')
    // A store that does not open is told to whoever opens a session.
    if (!(await options.store.catch(() => undefined)) || isClosed) return
    forgetting = createForgetting({
      ...{ store: options.store, heads: sessions.heads, remove: sessions.remove, onError },
      ask: sync?.refresh,
      acknowledged: (id) => sync?.portOf(id).marks().position ?? -1,
    })
    forgetting.lookAtAll()
  }
}

function loadPortability(): Promise<typeof import('./portability.ts')> {
  return loadChunk(import('./portability.ts'), 'nothing was exported or imported')
}

function unreadable(session: string, damage: readonly Damage[]): WaymarkError {
  const places = damage.map(({ place, reason }) => `${place} ${reason}`).join('; ')
  return new WaymarkError(
    'record-unreadable',
    `Something stored of session "${session}" could not be read and was set aside with its bytes: ${places}.`,
    { details: { session, places } },
  )
}

function outdated(session: string, flow: Flow, stored: number): WaymarkError {
  return new WaymarkError(
    'outdated',
    `Session "${session}" was saved by a newer version of flow "${flow.id}" (${stored} > ${flow.version}). Reload the page.`,
    { details: { session, flow: flow.id } },
  )
}

export function unknownFlow(id: string): WaymarkError {
  return new WaymarkError(
    'flow-unknown',
    `No flow "${id}" was given to createWaymark. Add it to "flows", also while old sessions of it exist.`,
    { details: { flow: id } },
  )
}
