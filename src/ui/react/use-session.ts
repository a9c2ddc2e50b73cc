/**
 * Opens a session for as long as a component is mounted.
 *
 *   opening ─┬─► open ───┬─ unmounted: let go
 *      ▲     └─► failed ─┘
 *      └──────── over: removed, or the account changed
 *
 * Invariants
 * - The SDK owns the session. React subscribes; nothing is opened while rendering, nothing at all on a server.
 * - Every `open()` begun by a mount is answered by exactly one `close()`, also where it ends after the unmount.
 * - `snapshot` is followed only by components that read it.
 */
import { useMemo, useSyncExternalStore } from 'react'
import { reportUncaught } from '../../base/emitter.ts'
import type { Waymark } from '../../client/create-waymark.ts'
import type { Flow } from '../../flow/definition.ts'
import type { Session } from '../../session/session.ts'
import type { SessionSnapshot } from '../../session/session-snapshot.ts'

/** How far opening a session is. */
export type SessionOpening<F extends Flow = Flow> =
  | { readonly status: 'opening' }
  | {
      readonly status: 'open'
      readonly session: Session<F>
      /** Reading it while rendering makes the component follow every change; one that leaves it unread renders once. */
      readonly snapshot: SessionSnapshot<F>
    }
  /** A `WaymarkError` wherever Waymark itself refused: `flow-unknown`, `outdated`, `closed`. */
  | { readonly status: 'failed'; readonly error: unknown }

export interface UseSessionOptions {
  /** The app's own name for this run of the flow; default 'default'. Another key opens another session. */
  readonly key?: string
}

/**
 * Opens the session of this flow and `key` when the component mounts and lets go of it when it unmounts. Components that
 * name the same one share it. Where it is removed or the account changes, the one that is due then is opened. While rendering on a server, and until it is open, the status is `opening`; failures are
 * values, never thrown into rendering. `waymark` is made once, outside of components.
 *
 * @example
 * const form = useSession(waymark, 'mortgage')
 * if (form.status !== 'open') return <p>One moment…</p>
 * return <NameField session={form.session} />
 */
export function useSession<F extends Flow, const Id extends F['id']>(
  waymark: Waymark<F>,
  flow: Id,
  { key = 'default' }: UseSessionOptions = {},
): SessionOpening<Extract<F, { readonly id: Id }>> {
  // Should React forget this value, the session is let go and opened again: nothing is lost.
  const store = useMemo(() => createOpening(() => waymark.open(flow, { key })), [waymark, flow, key])
  return useSyncExternalStore(store.subscribe, store.getSnapshot, getServerSnapshot)
}

const opening: SessionOpening<never> = { status: 'opening' }
const getServerSnapshot = () => opening

/** One component's hold on a session: taken by `subscribe`, let go by what it returns. */
function createOpening<F extends Flow>(open: () => Promise<Session<F>>) {
  let state: SessionOpening<F> = opening
  let isOutdated = () => false

  /** `snapshot` is taken when first read; from then on a change makes this state outdated. */
  function show(session: Session<F>): void {
    let seen: SessionSnapshot<F> | undefined
    isOutdated = () => seen !== undefined && seen !== session.getSnapshot()
    state = {
      status: 'open',
      session,
      get snapshot() {
        seen ??= session.getSnapshot()
        return seen
      },
    }
  }

  function reset(): void {
    isOutdated = () => false
    state = opening
  }

  return {
    subscribe(listener: () => void) {
      let isWanted = true
      let release = () => {}

      function begin(): void {
        open().then(
          (session) => {
            if (!isWanted) return close(session)
            const unsubscribe = session.subscribe(listener)
            const offClosed = session.on('closed', () => {
              unsubscribe()
              reset()
              listener()
              begin()
            })
            release = () => {
              unsubscribe()
              offClosed()
              close(session)
            }
            show(session)
            listener()
          },
          (error: unknown) => {
            if (!isWanted) return
            state = { status: 'failed', error }
            listener()
          },
        )
      }

      begin()
      return () => {
        isWanted = false
        release()
        reset()
      }
    },
    getSnapshot() {
      if (isOutdated() && state.status === 'open') show(state.session)
      return state
    },
  }
}

function close(session: { close(): Promise<void> }): void {
  session.close().catch(reportUncaught)
}
