import { type Actor, createActor, type SnapshotFrom } from 'xstate'
import type { Clock } from '../base/clock.ts'
import type { Flow } from '../flow/definition.ts'
import type { SessionState, StepId } from '../record/state.ts'
import { machineFromFlow, type SessionMachine } from './machine-from-flow.ts'

export type SessionActor = Actor<SessionMachine>
export type SessionSnapshot = SnapshotFrom<SessionMachine>

/**
 * An actor of the flow's machine, not started, in the state of `step`: that of the earliest step that needs attention
 * where `step` is unknown or off the path, `ended` where the session has ended. The caller starts and stops it.
 *
 * The state goes in as input, not as an XState snapshot: restoring one walks the whole context, writes into it, and
 * takes answers of the form `{ "xstate$$type": 1 }` for actors.
 */
export function createSessionActor(
  flow: Flow,
  options: {
    readonly state: SessionState
    readonly step?: StepId | undefined
    /** For delays in tests; the machine itself has none. */
    readonly clock?: Clock
  },
): SessionActor {
  const { state, step, clock } = options
  return createActor(machineFromFlow(flow), {
    input: { state, step },
    ...(clock === undefined ? {} : { clock: timersOf(clock) }),
  })
}

function timersOf(clock: Clock) {
  return {
    setTimeout: (run: () => void, delayMs: number) => clock.after(delayMs, run),
    clearTimeout: (cancel: () => void) => cancel(),
  }
}
