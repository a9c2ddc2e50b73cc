/**
 * A flow as an XState machine: one state per step, sub-flows as compound states, and `ended` for a session nothing can
 * be entered into. Guards and actions ask `planOf`, which asks the flow; the machine only says which state that is.
 *
 * Invariants
 * - The active leaf state is the state of `context.step`, or `ended` once the session has.
 * - Whatever changes `context.state` is emitted as `changes` of which the new state is the fold; `adopt` alone emits
 *   nothing. An event that is not allowed emits nothing and leaves the snapshot reference.
 * - No `after`, `invoke` or spawned child: nothing is lost in a restore.
 *
 *   /opening ─► step ⇄ step ⇄ … ─► ended        (adopt leads out of ended again)
 */
import { assign, createMachine, emit } from 'xstate'
import type { Flow } from '../flow/definition.ts'
import { initialState, isEnded, type SessionState, type StepId } from '../record/state.ts'
import { configOf } from './machine-config.ts'
import { firstStep, landingStep, type Place, type Plan, planOf } from './plan.ts'
import type { SessionEmitted, SessionEvent } from './session-event.ts'

export interface SessionInput {
  readonly state: SessionState
  readonly step?: StepId | undefined
}

export type SessionMachine = ReturnType<typeof compile>

const machineByFlow = new WeakMap<Flow, SessionMachine>()

/** The machine of a flow, compiled once. */
export function machineFromFlow(flow: Flow): SessionMachine {
  const machine = machineByFlow.get(flow) ?? compile(flow)
  machineByFlow.set(flow, machine)
  return machine
}

function compile(flow: Flow) {
  const planFor = createPlanner(flow)
  // `createMachine` and not `setup`, which brings every action creator along: 3 KB gzip.
  return createMachine(
    {
      types: {} as {
        context: Place
        events: SessionEvent
        emitted: SessionEmitted
        input: SessionInput | undefined
        guards:
          | { type: 'isAt' | 'leadsTo'; params: { step: StepId } }
          | { type: 'staysHere' | 'ends'; params: undefined }
        actions: { type: 'emitChanges'; params: undefined } | { type: 'foldChanges'; params: undefined }
      },
      ...configOf(flow),
      context: ({ input }) => {
        const state = input?.state ?? initialState(flow.ref, firstStep(flow))
        return {
          state,
          step: isEnded(state.status) ? state.step : landingStep(flow, state, input?.step ?? state.step),
        }
      },
    },
    {
      guards: {
        isAt: ({ context }, { step }) => context.step === step && !isEnded(context.state.status),
        staysHere: ({ context, event }) => {
          const plan = planFor(context, event)
          return (
            plan !== undefined &&
            plan.step === context.step &&
            isEnded(plan.state.status) === isEnded(context.state.status)
          )
        },
        leadsTo: ({ context, event }, { step }) => {
          const plan = planFor(context, event)
          return plan !== undefined && plan.step === step && !isEnded(plan.state.status)
        },
        ends: ({ context, event }) => {
          const plan = planFor(context, event)
          return plan !== undefined && isEnded(plan.state.status)
        },
      },
      actions: {
        emitChanges: emit(({ context, event }) => ({
          type: 'changes' as const,
          changes: planFor(context, event)?.changes ?? [],
        })),
        foldChanges: assign(({ context, event }) => {
          const { state, step } = planFor(context, event) ?? context
          return { state, step }
        }),
      },
    },
  )
}

/** Guards and actions of one event share one plan. */
function createPlanner(flow: Flow): (at: Place, event: SessionEvent) => Plan | undefined {
  const plans = new WeakMap<SessionEvent, { readonly at: Place; readonly plan: Plan | undefined }>()
  return (at, event) => {
    const known = plans.get(event)
    if (known !== undefined && known.at.state === at.state && known.at.step === at.step) return known.plan
    const plan = planOf(flow, at, event)
    plans.set(event, { at, plan })
    return plan
  }
}
