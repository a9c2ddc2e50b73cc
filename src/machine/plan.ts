/**
 * What an event does to a session: the changes, the state they lead to, and the step this tab is at then. Pure. The
 * machine's guards ask for the plan and its actions carry it out, so no rule is written twice.
 */
import type { Json } from '../base/json.ts'
import { diff, toOperation } from '../base/patch.ts'
import { type Flow, leafOf } from '../flow/definition.ts'
import { needsAttention } from '../flow/needs-attention.ts'
import { pathOf } from '../flow/path.ts'
import { reachableSteps } from '../flow/reachable-steps.ts'
import { stepAfter } from '../flow/step-after.ts'
import { stepBefore } from '../flow/step-before.ts'
import { validateStep } from '../flow/validate-step.ts'
import {
  applyChange,
  type Change,
  type Finish,
  isEnded,
  type MoveCause,
  type SessionState,
  type Status,
  type StepId,
} from '../record/state.ts'
import type { SessionEvent } from './session-event.ts'

/** A session as one tab has it: the state all tabs share, and this tab's own step; once ended, the state's. */
export interface Place {
  readonly state: SessionState
  readonly step: StepId
}

export interface Plan extends Place {
  readonly changes: readonly Change[]
}

/** `undefined` where the event is not allowed or changes nothing. */
export function planOf(flow: Flow, at: Place, event: SessionEvent): Plan | undefined {
  if (event.type === 'adopt') return planAdopt(flow, at, event.state, event.step)
  if (event.type === 'reopen') {
    return at.state.status === 'done' ? fold(at, [{ type: 'reopened' }]) : undefined
  }
  if (event.type === 'resolve') return planResolve(flow, at, event)
  if (event.type === 'revert') return planRevert(flow, at, event.to)
  if (isEnded(at.state.status)) return undefined
  switch (event.type) {
    case 'set':
      return planSet(flow, at, event)
    case 'next':
      return isHeld(at) || !(event.isValid ?? isValidNow(flow, at))
        ? undefined
        : planFinish(flow, at, 'valid')
    case 'skip':
      return isHeld(at) || !leafOf(flow, at.step).isOptional ? undefined : planFinish(flow, at, 'skipped')
    case 'back':
      return planMove(at, stepBefore(flow, at.state, at.step), 'back')
    case 'goTo':
      return planMove(at, reachableSteps(flow, at.state).has(event.step) ? event.step : undefined, 'goTo')
    case 'pause':
      return isHeld(at) ? undefined : planStatus(at, 'paused')
    case 'continue':
      return isHeld(at) ? planStatus(at, 'running') : undefined
    case 'abandon':
      return planStatus(at, 'abandoned')
    case 'expire':
      return planStatus(at, 'expired')
    case 'restart': {
      const step = firstStep(flow)
      return fold({ ...at, step }, [{ type: 'restarted', step }])
    }
    default:
      return undefined
  }
}

/** The step a tab shows: its own while that is on the path, else the earliest that needs attention, else the last. */
export function landingStep(flow: Flow, state: SessionState, step: StepId | undefined): StepId {
  const { steps } = pathOf(flow, state.answers, state.finished)
  if (step !== undefined && steps.includes(step)) return step
  return needsAttention(flow, state) ?? steps.at(-1) ?? firstLeaf(flow)
}

/** Where a session starts. */
export function firstStep(flow: Flow): StepId {
  return pathOf(flow, {}).steps[0] ?? firstLeaf(flow)
}

function firstLeaf(flow: Flow): StepId {
  const [first] = flow.leaves.keys()
  return first!
}

/** A paused session takes answers, so that no input is lost, and no moves. */
function isHeld(at: Place): boolean {
  return at.state.status === 'paused'
}

function planAdopt(flow: Flow, at: Place, state: SessionState, wanted = at.step): Plan | undefined {
  const step = isEnded(state.status) ? state.step : landingStep(flow, state, wanted)
  return state === at.state && step === at.step ? undefined : { state, step, changes: [] }
}

function planSet(flow: Flow, at: Place, event: SessionEvent & { type: 'set' }): Plan | undefined {
  const { type, step, patch } = event
  return flow.leaves.has(step) && Array.isArray(patch) ? stay(flow, at, [{ type, step, patch }]) : undefined
}

function planResolve(flow: Flow, at: Place, event: SessionEvent & { type: 'resolve' }): Plan | undefined {
  const { id, choice } = event
  const resolved: Change = { type: 'resolved', id, choice }
  if (choice === 'keep') return stay(flow, at, [resolved])
  const { conflicts = {}, status } = at.state
  if (!Object.hasOwn(conflicts, id) || isEnded(status)) return undefined
  const { step, path, value } = conflicts[id]!
  return stay(flow, at, [resolved, { type: 'set', step, patch: [toOperation(path, value)] }])
}

function planRevert(flow: Flow, at: Place, to: SessionState): Plan | undefined {
  const patch = diff(at.state as unknown as Json, to as unknown as Json)
  if (patch.length === 0) return undefined
  const state = applyChange(at.state, { type: 'merged', patch, joins: {}, losers: [] })
  const step = isEnded(state.status) ? state.step : landingStep(flow, state, to.step)
  return { state, step, changes: [{ type: 'merged', patch, joins: {}, losers: [] }] }
}

/** Carries out what leaves a tab at its step, unless that is off the path then. */
function stay(flow: Flow, at: Place, changes: readonly Change[]): Plan | undefined {
  const state = changes.reduce(applyChange, at.state)
  if (state === at.state) return undefined
  const landing = isEnded(state.status) ? at.step : landingStep(flow, state, at.step)
  if (landing === at.step) return { state, step: at.step, changes }
  const moved: Change = { type: 'moved', from: at.step, to: landing, by: 'path' }
  return { state: applyChange(state, moved), step: landing, changes: [...changes, moved] }
}

function planFinish(flow: Flow, at: Place, how: Finish): Plan | undefined {
  const changes: Change[] =
    at.state.finished[at.step] === how ? [] : [{ type: 'finished', step: at.step, how }]
  const { state } = fold(at, changes) ?? at
  const after = stepAfter(flow, state.answers, at.step, state.finished)
  if (after !== undefined) {
    const by = how === 'valid' ? 'next' : 'skip'
    return fold({ ...at, step: after }, [...changes, { type: 'moved', from: at.step, to: after, by }])
  }
  const { steps } = pathOf(flow, state.answers, state.finished)
  if (steps.length > 0 && needsAttention(flow, state) === undefined) {
    return fold(at, [...changes, { type: 'status', to: 'done', submitted: steps }])
  }
  return fold(at, changes)
}

function planMove(at: Place, to: StepId | undefined, by: MoveCause): Plan | undefined {
  if (to === undefined || to === at.step || isHeld(at)) return undefined
  return fold({ ...at, step: to }, [{ type: 'moved', from: at.step, to, by }])
}

function planStatus(at: Place, to: Status): Plan | undefined {
  return fold(at, [{ type: 'status', to }])
}

/** Carries the changes out. A session that waited for its first change starts running with it. */
function fold(at: Place, changes: readonly Change[]): Plan | undefined {
  if (changes.length === 0) return undefined
  const state = changes.reduce(applyChange, at.state)
  if (isEnded(state.status)) return { state, step: state.step, changes }
  if (state.status !== 'pending') return { state, step: at.step, changes }
  return fold(at, [{ type: 'status', to: 'running' }, ...changes])
}

function isValidNow(flow: Flow, at: Place): boolean {
  try {
    const validation = validateStep(flow, at.step, at.state.answers)
    if (!('then' in validation)) return validation.type === 'valid'
    validation.catch(() => {})
    return false
  } catch {
    return false
  }
}
