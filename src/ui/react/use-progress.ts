import type { Progress } from '../../flow/progress.ts'
import type { SessionSnapshot } from '../../session/session-snapshot.ts'
import { type SnapshotSource, useSessionValue } from './use-session-value.ts'

/** How far the session is and the steps ahead. Renders again when that changes; typing that changes none of it does not. */
export function useProgress(session: SnapshotSource<Pick<SessionSnapshot, 'progress'>>): Progress {
  return useSessionValue(session, progressIn, isSameProgress)
}

const progressIn = (snapshot: Pick<SessionSnapshot, 'progress'>) => snapshot.progress

function isSameProgress(a: Progress, b: Progress): boolean {
  return (
    a.done === b.done &&
    a.min === b.min &&
    a.max === b.max &&
    a.remaining.min === b.remaining.min &&
    a.remaining.max === b.remaining.max &&
    a.fraction === b.fraction &&
    a.steps.length === b.steps.length &&
    a.steps.every((step, i) => {
      const other = b.steps[i]
      return step.id === other?.id && step.state === other.state && step.isReachable === other.isReachable
    })
  )
}
