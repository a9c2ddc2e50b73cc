/**
 * The composition root: the only place that knows both ends of the path. It opens the store, gives every session of the
 * page one journal, joins tabs, page life, sync and accounts, and hands out sessions.
 *
 * Invariants
 * - One journal per session and page, shared by its sessions and by sync.
 * - Only the current account's sessions are listed, opened or sent. Changing the account closes what is open first.
 * - Opening stores nothing; the first change does.
 * - Without usable storage everything works from memory, and every status says so.
 */
import { type Clock, createHybridClock, systemClock } from '../base/clock.ts'
import { createEmitter, reportUncaught } from '../base/emitter.ts'
import { isWaymarkError, WaymarkError } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import { createId, type Random, systemRandom } from '../base/ids.ts'
import type { Flow } from '../flow/definition.ts'
import { leafOf } from '../flow/definition.ts'
import { progressOf } from '../flow/progress.ts'
import { type Journal, openJournal } from '../journal/journal.ts'
import type { Damage } from '../journal/restore.ts'
import { firstStep } from '../machine/plan.ts'
import type { Backend } from '../protocol/backend.ts'
import type { SyncStatus } from '../protocol/sync-status.ts'
import { type Head, readHead } from '../record/head.ts'
import { initialState, isEnded, type SessionState } from '../record/state.ts'
import { createSession, type Session, type SessionHandle } from '../session/session.ts'
import type { AtRisk } from '../session/session-status.ts'
import { openIdbStore } from '../store/idb-store.ts'
import { createMemoryStore } from '../store/memory-store.ts'
import { type Range, type Store, type StoreName, storeNames } from '../store/store.ts'
import { holdSyncOf, type SyncHolder } from './hold-sync.ts'
import { watchPageLife } from './page-life.ts'
import { openTabs } from './tabs.ts'

export interface WaymarkOptions<F extends Flow = Flow> {
  /** The journeys this app knows. */
  readonly flows: readonly F[]
  /** Whose sessions these are; default '' for someone not signed in. */
  readonly account?: string
  /** Where sessions sync to; without one they stay on this device. */
  readonly backend?: Backend
  /** Keeps several apps of one origin apart; default 'waymark'. */
  readonly namespace?: string
  /** Hears of failures in the background. Default: they are reported as uncaught errors. */
  readonly onError?: (error: unknown) => void
  /** Starts syncing at once; default true. */
  readonly isSyncing?: boolean
  /** For tests and other platforms. Default: IndexedDB, in memory where there is none. */
  readonly store?: Store
  readonly clock?: Clock
  readonly random?: Random
}

/** A session that can be continued. No answers are read for it. */
export interface Resumable {
  readonly id: string
  readonly key: string
  readonly flow: { readonly id: string; readonly version: number; readonly title: string }
  readonly step: { readonly id: string; readonly title: string }
  readonly status: SessionState['status']
  readonly progress: { readonly done: number; readonly min: number; readonly max: number }
  /** Milliseconds since 1970. */
  readonly savedAt: number
  readonly expiresAt?: number
}

export interface Waymark<F extends Flow = Flow> {
  /** What can be continued by this account, last saved first. */
  resumable(): Promise<readonly Resumable[]>
  /**
   * Finds or creates the session of this flow and `key` (default 'default'): the same one for every caller in every tab.
   * With `resume: 'latest'` it is the one of this flow last saved, whatever its key, where there is one to continue.
   * Stores nothing before the first change. Rejects with `flow-unknown`, `outdated`, `closed`.
   */
  open<Id extends F['id']>(
    flow: Id,
    options?: { readonly key?: string; readonly resume?: 'latest' },
  ): Promise<Session<FlowById<F, Id>>>
  /** Always a new session. */
  start<Id extends F['id']>(flow: Id): Promise<Session<FlowById<F, Id>>>
  /** Continues one that is listed. Rejects with `session-unknown` where this account has no such session here. */
  resume(id: string): Promise<Session<F>>
  /** Deletes a session from this device; what the server holds stays. */
  remove(id: string): Promise<void>
  readonly account: string
  /** Signs in or out: closes every open session, then lists, opens and syncs for the new account only. */
  setAccount(account: string): Promise<void>
  /** Gives the sessions of someone not signed in to the current account. */
  claim(): Promise<void>
  readonly sync: {
    readonly status: SyncStatus | undefined
    now(): Promise<SyncStatus | undefined>
    stop(): void
    start(): void
    /** Call after signing in again, where the backend had said 401. */
    signedIn(): void
    subscribe(listener: () => void): () => void
  }
  /** Stores what is local and lets go of everything. Idempotent. */
  close(): Promise<void>
}

type FlowById<F extends Flow, Id> = Extract<F, { readonly id: Id }>

interface Lane {
  readonly flow: Flow
  readonly key: string
  readonly journal: Promise<Journal>
  handle: SessionHandle | undefined
  holders: number
  sessionHolders: number
}

/** Opens Waymark for this page. It returns at once; storage opens behind it. */
export function createWaymark<const F extends Flow>(options: WaymarkOptions<F>): Waymark<F> {
  const { backend, namespace = 'waymark', clock = systemClock, random = systemRandom } = options
  const flowById = new Map(options.flows.map((flow): [string, Flow] => [flow.id, flow]))
  const onError = options.onError ?? reportUncaught
  const hybrid = createHybridClock(clock)
  const writer = createId(random)
  const tabs = openTabs(namespace)
  const lanes = new Map<string, Lane>()
  const closing = new Map<string, Promise<void>>()
  const syncChanged = createEmitter<void>()
  let account = options.account ?? ''
  let isSyncing = options.isSyncing ?? true
  let isClosed = false
  let storeProblem: AtRisk | undefined
  const storeReady = openStore()
  storeReady.catch(onError)
  let sync = holdSync()

  const stopTabs = tabs.on(({ type, session }) => {
    if (type === 'synced') sync?.refresh(session)
    lanes
      .get(session)
      ?.journal.then((journal) => journal.catchUp())
      .catch(onError)
  })
  const stopLife = watchPageLife({
    onLeaving: () => forEachJournal((journal) => journal.flush()),
    onReturned: () => {
      forEachJournal((journal) => {
        void journal.catchUp()
        sync?.pull(journal.session)
      })
    },
    onOnline: (isOnline) => sync?.tell(isOnline ? 'online' : 'offline'),
  })

  function forEachJournal(use: (journal: Journal) => void): void {
    for (const lane of lanes.values()) lane.journal.then(use, () => {})
  }

  async function openStore(): Promise<Store> {
    if (options.store !== undefined) return options.store
    try {
      return await openIdbStore({ name: namespace, clock })
    } catch (error) {
      if (!isWaymarkError(error)) throw error
      storeProblem = { code: error.code, message: error.message }
      return createMemoryStore()
    }
  }

  function holdSync(): SyncHolder | undefined {
    if (backend === undefined) return undefined
    return holdSyncOf({
      account,
      backend,
      store: storeReady,
      clock,
      random,
      borrowJournal,
      isStarted: isSyncing,
      openSessions: () => lanes.keys(),
      onSynced: (session) => tabs.tell({ type: 'synced', session }),
      onChange(session) {
        for (const [id, lane] of lanes) {
          if (session === undefined || session === id) lane.handle?.onSyncChange()
        }
        syncChanged.emit()
      },
      onError,
    })
  }

  /** The journal of a session, for as long as someone holds it. */
  async function holdLane(id: string, flow: Flow, key: string): Promise<{ lane: Lane; journal: Journal }> {
    let lane = lanes.get(id)
    if (lane === undefined) {
      const own = account
      const store = await storeReady
      await closing.get(id)
      lane = lanes.get(id)
      if (lane === undefined) {
        const made: Lane = { flow, key, journal: open(), handle: undefined, holders: 0, sessionHolders: 0 }
        lane = made
        lanes.set(id, lane)
        function open(): Promise<Journal> {
          return openJournal({
            store,
            session: id,
            writer,
            clock,
            hybrid,
            random,
            start: { flow: flow.ref, step: firstStep(flow), key },
            toHead: createHeadMaker({ id, account: own, key, flow, clock }),
            onEvent(event) {
              if (event.type === 'stored') {
                tabs.tell({ type: 'stored', session: id })
                if (event.isEntry && account === own) sync?.note(id)
              }
              if (event.type === 'damaged') onError(unreadable(id, event.damage))
              if (event.type === 'error') onError(event.error)
              made.handle?.onJournalEvent(event)
            },
          })
        }
      }
    }
    lane.holders += 1
    try {
      return { lane, journal: await lane.journal }
    } catch (error) {
      lanes.delete(id)
      throw error
    }
  }

  /** Lets go; the last one closes the journal. */
  async function dropLane(id: string, lane: Lane): Promise<void> {
    lane.holders -= 1
    if (lane.holders > 0) return
    if (lanes.get(id) === lane) lanes.delete(id)
    const closed = lane.journal.then((journal) => journal.close()).finally(() => closing.delete(id))
    closing.set(id, closed)
    await closed
  }

  async function borrowJournal(id: string) {
    const held = lanes.get(id)
    const head = held ?? (await headOf(id))
    const flow = held?.flow ?? flowById.get((head as Head).flow.id)
    if (flow === undefined) throw unknownFlow((head as Head).flow.id)
    const { lane, journal } = await holdLane(id, flow, head.key)
    const release = () => {
      dropLane(id, lane).catch(onError)
    }
    return { journal, key: head.key, release }
  }

  async function headOf(id: string): Promise<Head> {
    const store = await storeReady
    const [[value] = []] = await store.read([{ store: 'heads', prefix: [account, id] }])
    const head = readHead(value)
    if (head !== undefined) return head
    throw new WaymarkError('session-unknown', `This account has no session "${id}" on this device.`, {
      details: { session: id },
    })
  }

  async function headsOf(owner: string): Promise<readonly Head[]> {
    const store = await storeReady
    const [values = []] = await store.read([{ store: 'heads', prefix: [owner] }])
    return values.flatMap((value) => readHead(value) ?? [])
  }

  async function openSession(id: string, flow: Flow, key: string): Promise<Session> {
    const own = account
    const { kind } = await storeReady
    const { lane, journal } = await holdLane(id, flow, key)
    if (isClosed || own !== account) {
      await dropLane(id, lane)
      throw new WaymarkError(
        'closed',
        `Session "${id}" was not opened: Waymark was closed or the account changed.`,
      )
    }
    const stored = journal.storedState
    if (stored !== undefined && stored.flow.version > flow.version) {
      await dropLane(id, lane)
      throw new WaymarkError(
        'outdated',
        `Session "${id}" was saved by a newer version of flow "${flow.id}" (${stored.flow.version} > ${flow.version}). Reload the page.`,
        { details: { session: id, flow: flow.id } },
      )
    }
    // No `await` from here on: callers at the same time must find one handle, which holds the journal once.
    lane.sessionHolders += 1
    if (lane.handle !== undefined) lane.holders -= 1
    lane.handle ??= createSession(journal, {
      flow,
      key,
      clock,
      random,
      sync: sync?.portOf(id),
      storeProblem: storeProblem ?? (kind === 'memory' ? inMemory : undefined),
      onError,
      readLedger: async () =>
        (await import('../journal/ledger.ts')).readLedger(
          await storeReady,
          id,
          initialState(flow.ref, firstStep(flow)),
        ),
      release() {
        lane.sessionHolders -= 1
        if (lane.sessionHolders > 0) return undefined
        lane.handle = undefined
        // Sync, or someone opening it again, may still hold the journal: it is theirs to close.
        return journal.settled().then(() => dropLane(id, lane))
      },
    })
    sync?.refresh(id)
    sync?.pull(id)
    return lane.handle.session
  }

  function flowOf(id: string): Flow {
    if (isClosed) throw new WaymarkError('closed', 'Waymark was closed. Create it again to go on.')
    const flow = flowById.get(id)
    if (flow === undefined) throw unknownFlow(id)
    return flow
  }

  async function closeSessions(): Promise<void> {
    sync?.close()
    sync = undefined
    const open = [...lanes.values()]
    await Promise.all(
      open.map(async (lane) => {
        lane.sessionHolders = Math.min(lane.sessionHolders, 1)
        await lane.handle?.session.close()
        await (await lane.journal).close()
      }),
    )
    lanes.clear()
  }

  const waymark: Waymark = {
    async resumable() {
      const heads = (await headsOf(account)).filter((head) => !isEnded(head.status))
      return heads.map(toResumable).sort((a, b) => b.savedAt - a.savedAt)
    },
    async open(id, { key = 'default', resume } = {}) {
      const flow = flowOf(id)
      const ofFlow = (await headsOf(account)).filter((head) => head.flow.id === id)
      const newest = (heads: readonly Head[]) => [...heads].sort((a, b) => b.savedAt - a.savedAt)[0]
      const latest = resume === 'latest' ? newest(ofFlow.filter((head) => !isEnded(head.status))) : undefined
      if (latest !== undefined) return openSession(latest.id, flow, latest.key) as Promise<never>
      const own = ofFlow.filter((head) => head.key === key)
      const live = newest(own.filter((head) => head.status !== 'abandoned' && head.status !== 'expired'))
      const derived = sha256(JSON.stringify([account, id, key, own.length])).slice(0, 26)
      return openSession(live?.id ?? derived, flow, key) as Promise<never>
    },
    async start(id) {
      const flow = flowOf(id)
      const fresh = createId(random, 26)
      return openSession(fresh, flow, fresh) as Promise<never>
    },
    async resume(id) {
      const head = await headOf(id)
      return openSession(id, flowOf(head.flow.id), head.key)
    },
    async remove(id) {
      const head = await headOf(id)
      const lane = lanes.get(id)
      if (lane !== undefined) {
        lane.sessionHolders = Math.min(lane.sessionHolders, 1)
        await lane.handle?.session.close()
      }
      const stores = storeNames.filter((name) => name !== 'heads' && name !== 'quarantine')
      const remove: Range[] = [
        { store: 'heads', prefix: [head.account, id] },
        ...stores.map((store: StoreName): Range => ({ store, prefix: [id] })),
      ]
      await (await storeReady).write({ durability: 'strict', remove })
      tabs.tell({ type: 'stored', session: id })
    },
    get account() {
      return account
    },
    async setAccount(next) {
      if (next === account) return
      await closeSessions()
      account = next
      sync = holdSync()
    },
    async claim() {
      if (account === '') return
      const heads = await headsOf('')
      await (await storeReady).write({
        durability: 'strict',
        remove: heads.map((head) => ({ store: 'heads', prefix: ['', head.id] })),
        put: heads.map((head) => ({ store: 'heads', key: [account, head.id], value: { ...head, account } })),
      })
      for (const head of heads) sync?.note(head.id)
    },
    sync: {
      get status() {
        return sync?.status
      },
      async now() {
        for (const id of lanes.keys()) sync?.pull(id)
        return sync?.now()
      },
      stop() {
        isSyncing = false
        sync?.stop()
      },
      start() {
        isSyncing = true
        sync?.start()
      },
      signedIn: () => sync?.tell('signIn'),
      subscribe: (listener) => syncChanged.on(listener),
    },
    async close() {
      if (isClosed) return
      isClosed = true
      stopTabs()
      stopLife()
      await closeSessions()
      tabs.close()
      if (options.store === undefined) await (await storeReady).close()
    },
  }
  return waymark as unknown as Waymark<F>
}

const inMemory: AtRisk = {
  code: 'storage-unavailable',
  message: 'Answers live in this page only and are lost when it closes.',
}

function unreadable(session: string, damage: readonly Damage[]): WaymarkError {
  const places = damage.map(({ place, reason }) => `${place} ${reason}`).join('; ')
  return new WaymarkError(
    'record-unreadable',
    `Something stored of session "${session}" could not be read and was set aside with its bytes: ${places}.`,
    { details: { session, places } },
  )
}

function unknownFlow(id: string): WaymarkError {
  return new WaymarkError(
    'flow-unknown',
    `No flow "${id}" was given to createWaymark. Add it to "flows", also while old sessions of it exist.`,
    { details: { flow: id } },
  )
}

function createHeadMaker(of: {
  readonly id: string
  readonly account: string
  readonly key: string
  readonly flow: Flow
  readonly clock: Clock
}): (state: SessionState) => Head {
  const { id, account, key, flow, clock } = of
  const createdAt = clock.now()
  return (state) => {
    const { done, min, max } = progressOf(flow, state, state.step)
    const title = flow.leaves.has(state.step) ? leafOf(flow, state.step).title : state.step
    return {
      v: 1,
      id,
      account,
      key,
      flow: { id: flow.id, version: state.flow.version, title: flow.title },
      status: state.status,
      step: { id: state.step, title },
      progress: { done, min, max },
      createdAt,
      savedAt: clock.now(),
    }
  }
}

function toResumable(head: Head): Resumable {
  const { id, key, flow, step, status, progress, savedAt, expiresAt } = head
  return { id, key, flow, step, status, progress, savedAt, ...(expiresAt === undefined ? {} : { expiresAt }) }
}
