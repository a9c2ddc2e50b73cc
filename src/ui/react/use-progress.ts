import type { Flow } from '../../flow/definition.ts'
import type { Progress } from '../../flow/progress.ts'
import type { Session } from '../../session/session.ts'
import type { SessionSnapshot } from '../../session/session-snapshot.ts'
import { useSessionValue } from './use-session-value.ts'

/** How far the session is and the steps ahead. Renders again when that changes; typing that changes none of it does not. */
export function useProgress<F extends Flow>(session: Session<F>): Progress {
  return useSessionValue(session, progressIn, isSameProgress)
}

const progressIn = (snapshot: SessionSnapshot) => snapshot.progress

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
