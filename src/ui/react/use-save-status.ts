import { useSyncExternalStore } from 'react'
import type { Session } from '../../session/session.ts'
import type { SessionStatus } from '../../session/session-status.ts'

/** How safe the session is: saved where, syncing, conflicts, parked. Typing renders it only as that changes. */
export function useSaveStatus({ status }: Pick<Session, 'status'>): SessionStatus {
  return useSyncExternalStore(status.subscribe, status.getSnapshot, status.getSnapshot)
}
