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
import { type ErrorDetails, isWaymarkError, WaymarkError } from '../base/errors.ts'
import { createId, type Random, systemRandom } from '../base/ids.ts'
import type { AnswersOf } from '../flow/answers-of.ts'
import { type Flow, sensitiveFieldsOf } from '../flow/definition.ts'
import type { ImportOutcome } from '../portable/import-session.ts'
import type { Backend } from '../protocol/backend.ts'
import type { SyncStatus } from '../protocol/sync-status.ts'
import type { Head } from '../record/head.ts'
import { isEnded, type StepAnswers } from '../record/state.ts'
import type { Session } from '../session/session.ts'
import type { AtRisk } from '../session/session-status.ts'
import type { EncryptedStore } from '../store/encrypted-store.ts'
import type { Encryption } from '../store/encryption.ts'
import { openIdbStore } from '../store/idb-store.ts'
import { createMemoryStore } from '../store/memory-store.ts'
import { openSealed } from '../store/open-sealed.ts'
import { createStandInStore } from '../store/stand-in-store.ts'
import type { Store } from '../store/store.ts'
import { type AccountSessions, openAccountSessions, unknownFlow } from './account-sessions.ts'
import { type Resumable, toResumable } from './heads.ts'
import { type PageLife, watchPageLife } from './page-life.ts'
import type { ExportOptions, ImportOptions } from './portability.ts'
import { openTabs, type Tabs } from './tabs.ts'
import type { TidyOptions, TidyReport } from './tidy.ts'
import type { Locks } from './turns.ts'

export interface WaymarkOptions<F extends Flow = Flow> {
  /** The journeys this app knows. */
  readonly flows: readonly F[]
  /** Whose sessions these are; default '' for someone not signed in. */
  readonly account?: string
  /** Where sessions sync to; without one they stay on this device. */
  readonly backend?: Backend
  /** Keeps several apps of one origin apart; default 'waymark'. */
  readonly namespace?: string
  /**
   * Encrypts what is stored on this device. A namespace has one key: give each account a namespace of its own where
   * accounts have keys of their own. Everything rejects with `key-wrong` where it is not the key.
   */
  readonly encryption?: Encryption
  /**
   * Leaves nothing behind on a device others use: a session that is done and received, abandoned or expired is deleted
   * with its key. Needs `encryption` under a passphrase or a key of the app. Default false.
   */
  readonly isShared?: boolean
  /** Hears of failures in the background. Default: they are reported as uncaught errors. */
  readonly onError?: (error: unknown) => void
  /** Starts syncing at once; default true. */
  readonly isSyncing?: boolean
  /**
   * For a store in a worker, other platforms and tests. Whoever opened it closes it, after Waymark; what a function
   * opens Waymark closes, and has opened again where that failed. Default: IndexedDB, in memory where there is none.
   */
  readonly store?: Store | Promise<Store> | (() => Promise<Store>)
  readonly clock?: Clock
  readonly random?: Random
  /** What pages over one store tell each other. Default: a BroadcastChannel. Closed with Waymark. */
  readonly tabs?: Tabs
  /** Tells of the page's life until the returned function is called. Default: the events of `window`, where there is one. */
  readonly watchLife?: (life: PageLife) => () => void
  /** Web Locks, by which pages over one store take turns to sync. Default: those of `navigator`, where there are any. */
  readonly locks?: Locks
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
  /** Always a new session; with `answers` to begin with, as those of a `fork`. Steps the flow does not have are left out. */
  start<Id extends F['id']>(
    flow: Id,
    options?: { readonly answers?: AnswersOf<FlowById<F, Id>> },
  ): Promise<Session<FlowById<F, Id>>>
  /** Continues one that is listed. Rejects with `session-unknown` where this account has no such session here. */
  resume(id: string): Promise<Session<F>>
  /**
   * Deletes a session from this device, whoever has it open; what the server holds stays. With `everywhere` the server
   * erases it first, for good, and devices that still have it are told: rejects with `not-erased`, with nothing removed,
   * where that is not confirmed.
   */
  remove(id: string, options?: { readonly everywhere?: boolean }): Promise<void>
  /**
   * Removes sessions from this device that are over and received by the server, oldest first, and tells what it removed
   * and why the rest stays. Never anything that is running, open here or unsent, unless it is named in `withUnsent`.
   */
  tidy(options?: TidyOptions): Promise<TidyReport>
  readonly account: string
  /**
   * Signs in or out: closes every open session, then lists, opens and syncs for the new account only. Changes are made
   * one after another. Rejects, with nothing changed, where something entered cannot be stored.
   */
  setAccount(account: string): Promise<void>
  /** Gives the sessions of someone not signed in to the current account. */
  claim(): Promise<void>
  /**
   * Puts what is stored under another passphrase or key, in one transaction; give that one to `createWaymark` from then
   * on. Rejects, with nothing changed, with `key-wrong`, and with `encryption-needed` where nothing is encrypted.
   */
  rotate(encryption: Encryption): Promise<void>
  /**
   * Every session of this account on this device, as a file: plain JSON without the answers named as sensitive, or
   * sealed under a passphrase with everything. What is entered and could not be stored is in it.
   */
  export(options?: ExportOptions): Promise<Blob>
  /**
   * Brings back what `export` made. Each session is verified, hash by hash, and put behind what is here; one that is
   * here and went on is left alone. Tells of each what became of it. Rejects with `import-unreadable`, `key-wrong`,
   * `outdated`.
   */
  import(file: Blob | string, options?: ImportOptions): Promise<readonly ImportOutcome[]>
  readonly sync: {
    readonly status: SyncStatus | undefined
    now(): Promise<SyncStatus | undefined>
    stop(): void
    start(): void
    /** Call after signing in again, where the backend had said 401. */
    signedIn(): void
    subscribe(listener: () => void): () => void
  }
  /** Stores what is local and lets go of everything; rejects, with nothing closed, where it cannot be stored. Idempotent. */
  close(): Promise<void>
}

type FlowById<F extends Flow, Id> = Extract<F, { readonly id: Id }>

/** Opens Waymark for this page. It returns at once; storage opens behind it. */
export function createWaymark<const F extends Flow>(options: WaymarkOptions<F>): Waymark<F> {
  const { backend, encryption, namespace = 'waymark', clock = systemClock, random = systemRandom } = options
  const flowById = new Map(options.flows.map((flow): [string, Flow] => [flow.id, flow]))
  const onError = options.onError ?? reportUncaught
  const hybrid = createHybridClock(clock)
  const writer = createId(random)
  const tabs = options.tabs ?? openTabs(namespace, clock)
  const syncChanged = createEmitter<void>()
  let isSyncing = options.isSyncing ?? true
  let isClosed = false
  let storeProblem: AtRisk | undefined
  let encrypted: EncryptedStore | undefined
  const { store: asked = () => openIdbStore({ name: namespace, clock, onError }) } = options
  const isOwnStore = typeof asked === 'function'
  const openGiven = isOwnStore ? asked : async () => asked
  const store = openStore()
  store.catch((error: unknown) => {
    if (!isWaymarkError(error)) onError(error) // else told to whoever opens, lists or changes a session
  })
  /** Every account of this page: what it entered may be in memory only. */
  const accounts = new Set([options.account ?? ''])
  let current = sessionsOf(options.account ?? '')
  /** Account changes, one after another. */
  let changing: Promise<unknown> = Promise.resolve()

  const stopTabs = tabs.on((news) => current.hear(news))
  const stopLife = (options.watchLife ?? watchPageLife)({
    onLeaving: () => current.forEachJournal((journal) => journal.flush()),
    onReturned: () =>
      current.forEachJournal((journal) => {
        void journal.catchUp()
        current.sync?.pull(journal.session)
      }),
    onOnline: (isOnline) => current.sync?.tell(isOnline ? 'online' : 'offline'),
  })

  async function openStore(): Promise<Store> {
    if (options.isShared && (encryption === undefined || encryption === 'browser'))
      throw encryptionNeeded('A shared device needs one under a passphrase or a key of the app.')
    const open = async () => {
      const opened = await openGiven()
      return toSealed(opened).catch(async (error: unknown) => {
        if (isOwnStore) await opened.close()
        throw error
      })
    }
    try {
      const opened = await open()
      if (opened.kind === 'memory') storeProblem = inMemory
      return opened
    } catch (error) {
      // Only storage may be missing: without the key nothing is read, and nothing is kept in its place.
      if (!isWaymarkError(error) || !error.code.startsWith('storage-')) throw error
      storeProblem = { code: error.code, message: error.message }
      if (!error.isRetryable) return createMemoryStore()
      return createStandInStore({
        open,
        clock,
        onError,
        onReady: (opened, ready) =>
          change(async () => {
            const others = [...accounts].filter((one) => one !== current.account).map(sessionsOf)
            let run = async () => {
              ready()
              storeProblem = undefined
            }
            for (const sessions of [current, ...others]) {
              const inner = run
              run = () => sessions.throughChange(opened, inner)
            }
            await run()
            for (const sessions of others) sessions.close().catch(onError)
          }),
      })
    }
  }

  async function toSealed(opened: Store): Promise<Store> {
    if (encryption === undefined) return openSealed(opened, undefined)
    encrypted = await openSealed(opened, encryption)
    return encrypted
  }

  function sessionsOf(account: string): AccountSessions {
    return openAccountSessions({
      ...{
        account,
        namespace,
        locks: options.locks,
        store,
        backend,
        flowById,
        writer,
        clock,
        hybrid,
        random,
        isSyncing,
        onError,
      },
      isShared: options.isShared ?? false,
      isEncrypted: encryption !== undefined,
      storeProblem: () => storeProblem,
      tell: tabs.tell,
      onSyncChange: () => syncChanged.emit(),
    })
  }

  /** The sessions of the account there is once every change asked for before is made. */
  async function settledSessions(): Promise<AccountSessions> {
    await changing.catch(() => {}) // told to whoever asked for the change
    assertOpen()
    return current
  }

  function change<T>(make: () => Promise<T>): Promise<T> {
    const made = changing.catch(() => {}).then(make)
    changing = made
    return made
  }

  function assertOpen(): void {
    if (isClosed) throw new WaymarkError('closed', 'Waymark was closed. Create it again to go on.')
  }

  function flowOf(id: string): Flow {
    const flow = flowById.get(id)
    if (flow === undefined) throw unknownFlow(id)
    if (encryption === undefined && sensitiveFieldsOf(flow).size > 0)
      throw encryptionNeeded(`Flow "${id}" has sensitive fields.`, { flow: id })
    return flow
  }

  const waymark: Waymark = {
    async resumable() {
      const heads = await (await settledSessions()).heads()
      return newestFirst(heads.filter((head) => !isEnded(head.status))).map(toResumable)
    },
    async open(id, { key = 'default', resume } = {}) {
      const sessions = await settledSessions()
      const flow = flowOf(id)
      const heads = newestFirst((await sessions.heads()).filter((head) => head.flow.id === id))
      const found =
        (resume === 'latest' ? heads.find((head) => !isEnded(head.status)) : undefined) ??
        heads.find((head) => head.key === key && head.status !== 'abandoned' && head.status !== 'expired')
      if (found !== undefined) return sessions.open(found.id, flow, found) as Promise<never>
      return sessions.open(await sessions.nextId(id, key), flow, { key }) as Promise<never>
    },
    async start(id, { answers = {} } = {}) {
      const sessions = await settledSessions()
      const fresh = createId(random, 26)
      const flow = flowOf(id)
      const session = await sessions.open(fresh, flow, { key: fresh })
      for (const [step, fields] of Object.entries(answers)) {
        if (flow.leaves.has(step) && fields !== undefined) session.set(step, fields as StepAnswers)
      }
      return session as never
    },
    async resume(id) {
      const sessions = await settledSessions()
      const head = await sessions.head(id)
      return sessions.open(id, flowOf(head.flow.id), head)
    },
    remove: async (id, given = {}) => (await settledSessions()).remove(id, given),
    tidy: async (given = {}) => (await settledSessions()).tidy(given),
    get account() {
      return current.account
    },
    setAccount: (account) =>
      change(async () => {
        assertOpen()
        if (account === current.account) return
        await current.close()
        current = sessionsOf(account)
        accounts.add(account)
        syncChanged.emit()
      }),
    claim: () =>
      change(async () => {
        assertOpen()
        if (current.account !== '') await current.claim()
      }),
    export: async (given = {}) => (await settledSessions()).export(given),
    import: async (file, given = {}) => (await settledSessions()).import(file, given),
    async rotate(next) {
      assertOpen()
      await store
      if (encrypted === undefined) throw encryptionNeeded('Nothing is encrypted here.')
      await encrypted.rotate(next)
    },
    sync: {
      get status() {
        return current.sync?.status
      },
      now: async () => (await settledSessions()).sync?.now(),
      stop() {
        isSyncing = false
        current.sync?.stop()
      },
      start() {
        isSyncing = true
        current.sync?.start()
      },
      signedIn: () => current.sync?.tell('signIn'),
      subscribe: (listener) => syncChanged.on(listener),
    },
    close: () =>
      change(async () => {
        if (isClosed) return
        await current.close()
        isClosed = true
        stopTabs()
        stopLife()
        tabs.close()
        if (isOwnStore) await (await store.catch(() => undefined))?.close()
      }),
  }
  return waymark as unknown as Waymark<F>
}

const inMemory: AtRisk = {
  code: 'storage-unavailable',
  message: 'Answers live in this page only and are lost when it closes.',
}

function encryptionNeeded(why: string, details: ErrorDetails = {}): WaymarkError {
  return new WaymarkError('encryption-needed', `${why} Give createWaymark "encryption".`, { details })
}

function newestFirst(heads: readonly Head[]): readonly Head[] {
  return [...heads].sort((a, b) => b.savedAt - a.savedAt)
}
