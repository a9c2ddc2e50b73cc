/**
 * What can be continued, for a prompt that asks before a form is shown.
 *
 *   loading ─► ready ◄─┐ refresh(): the list stays as it was until the new one is there
 *       └────► failed ─┘
 *
 * Invariants
 * - Sessions it hands out stay open until the component unmounts. Whoever needs one longer opens it again with
 *   `useSession(waymark, flow.id, { key })`: it is the same one.
 * - Of two lists asked for, the one asked for last is shown.
 */
import { useMemo, useSyncExternalStore } from 'react'
import { createEmitter, reportUncaught } from '../../base/emitter.ts'
import type { Waymark } from '../../client/create-waymark.ts'
import type { Resumable } from '../../client/heads.ts'
import type { Flow } from '../../flow/definition.ts'
import type { Session } from '../../session/session.ts'

export type ResumeState<F extends Flow = Flow> = ResumeActions<F> & {
  /** Last saved first; empty until they are known, those last known where listing failed. */
  readonly sessions: readonly Resumable[]
} & ({ readonly status: 'loading' | 'ready' } | { readonly status: 'failed'; readonly error: unknown })

export interface ResumeActions<F extends Flow = Flow> {
  /** Opens a listed session where it was left. Rejects as `waymark.resume` does. */
  continue(id: string): Promise<Session<F>>
  /** Opens a listed session with its answers cleared, at its first step; its journal keeps what was. */
  startOver(id: string): Promise<Session<F>>
  /** Lists again, as after signing in. Never rejects: see `status`. */
  refresh(): Promise<void>
}

/** Lists what this account can continue, when the component mounts. On a server, and until then, it is `loading`. */
export function useResume<F extends Flow>(waymark: Waymark<F>): ResumeState<F> {
  const store = useMemo(() => createResumeStore(waymark), [waymark])
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot)
}

function createResumeStore<F extends Flow>(waymark: Waymark<F>) {
  const changed = createEmitter<void>()
  const held = new Set<Session<F>>()
  const actions: ResumeActions<F> = { continue: resume, startOver, refresh }
  const loading: ResumeState<F> = { ...actions, status: 'loading', sessions: [] }
  let state: ResumeState<F> = loading
  let asked = 0

  async function refresh(): Promise<void> {
    asked += 1
    const own = asked
    const listed = await waymark.resumable().then(
      (sessions): ResumeState<F> => ({ ...actions, status: 'ready', sessions }),
      (error: unknown): ResumeState<F> => ({ ...actions, status: 'failed', sessions: state.sessions, error }),
    )
    if (own !== asked) return
    state = listed
    changed.emit()
  }

  async function resume(id: string): Promise<Session<F>> {
    const session = await waymark.resume(id)
    if (changed.size > 0) held.add(session)
    else close(session)
    return session
  }

  async function startOver(id: string): Promise<Session<F>> {
    const session = await resume(id)
    await session.restart()
    await refresh()
    return session
  }

  return {
    subscribe(listener: () => void) {
      const off = changed.on(listener)
      if (changed.size === 1) void refresh()
      return () => {
        off()
        if (changed.size > 0) return
        asked += 1
        for (const session of held) close(session)
        held.clear()
      }
    },
    getSnapshot: () => state,
    getServerSnapshot: () => loading,
  }
}

function close(session: { close(): Promise<void> }): void {
  session.close().catch(reportUncaught)
}
