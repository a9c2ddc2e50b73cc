/**
 * Loads the sync room behind the first paint and stands for it meanwhile.
 *
 * Invariants
 * - Syncing is the one part not in the first load: without it everything is saved on this device, said so, and sent once
 *   it is there. A chunk that does not load (offline, a deploy) is tried again.
 * - What happens before it is loaded is not lost: starting, sync looks for everything unsent.
 */
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/ids.ts'
import type { Backend } from '../protocol/backend.ts'
import { noServerMarks, type SyncStatus } from '../protocol/sync-status.ts'
import type { SyncPort } from '../session/session-status.ts'
import type { Store } from '../store/store.ts'
import type { Sync, SyncOptions } from '../sync/sync.ts'

export interface SyncHolder {
  readonly status: SyncStatus
  portOf(session: string): SyncPort
  note(session: string): void
  pull(session: string): void
  refresh(session: string): void
  unmark(session: string): void
  now(): Promise<SyncStatus>
  start(): void
  stop(): void
  tell(what: 'online' | 'offline' | 'signIn'): void
  /** Resolves when nothing of it runs any more. */
  close(): Promise<void>
}

const retryMs = 10_000
const loading: SyncStatus = { state: 'stopped', nextTryAt: undefined, failures: 0, reason: 'loading' }

export function holdSyncOf(options: {
  readonly account: string
  readonly backend: Backend
  readonly store: Promise<Store>
  readonly clock: Clock
  readonly random: Random
  readonly borrowJournal: SyncOptions['borrowJournal']
  readonly isOurs: NonNullable<SyncOptions['isOurs']>
  readonly takeTurn: NonNullable<SyncOptions['takeTurn']>
  readonly isStarted: boolean
  readonly openSessions: () => Iterable<string>
  readonly onSynced: (session: string) => void
  readonly onChange: (session?: string) => void
  readonly onError: (error: unknown) => void
}): SyncHolder {
  const { clock, onChange, onError } = options
  let sync: Sync | undefined
  let { isStarted } = options
  let isClosed = false
  let cancelRetry = () => {}
  let loaded = load()

  async function load(): Promise<void> {
    try {
      const [{ createSync }, store] = await Promise.all([
        import('../sync/sync.ts'),
        options.store.catch(() => undefined), // told to whoever opens a session; it never will be there
      ])
      if (isClosed || store === undefined) return
      const made = createSync({ ...options, store })
      sync = made
      made.onChange(onChange)
      if (isStarted) made.start()
      for (const session of options.openSessions()) {
        void made.refresh(session)
        made.pull(session)
      }
    } catch (error) {
      onError(error)
      cancelRetry = clock.after(retryMs, () => {
        loaded = load()
      })
    }
  }

  return {
    get status() {
      return sync?.status ?? loading
    },
    portOf(session) {
      return {
        get status() {
          return sync?.status ?? loading
        },
        marks: () => sync?.marksOf(session) ?? noServerMarks,
        async push() {
          await loaded
          sync?.note(session)
          return sync?.now() ?? loading
        },
        async pull() {
          await loaded
          if (sync === undefined) return false
          sync.pull(session)
          return (await sync.now()).state === 'idle'
        },
        async acknowledged() {
          await loaded
          return sync?.acknowledged(session)
        },
        async unpark() {
          await loaded
          await sync?.unpark(session)
        },
      }
    },
    note: (session) => sync?.note(session),
    pull: (session) => sync?.pull(session),
    unmark: (session) => sync?.unmark(session),
    refresh: (session) => void sync?.refresh(session),
    async now() {
      await loaded
      for (const session of options.openSessions()) sync?.pull(session)
      return sync?.now() ?? loading
    },
    start() {
      isStarted = true
      sync?.start()
    },
    stop() {
      isStarted = false
      sync?.stop()
    },
    tell: (type) => sync?.send({ type }),
    async close() {
      isClosed = true
      cancelRetry()
      await sync?.close()
    },
  }
}
