import { useSyncExternalStore } from 'react'
import type { Flow } from '../../flow/definition.ts'
import type { Session } from '../../session/session.ts'
import type { SessionStatus } from '../../session/session-status.ts'

/** How safe the session is: saved where, syncing, conflicts, parked. Typing renders it only as that changes. */
export function useSaveStatus<F extends Flow>({ status }: Session<F>): SessionStatus {
  return useSyncExternalStore(status.subscribe, status.getSnapshot, status.getSnapshot)
}
