import type { StepId } from '../record/state.ts'
import type { AnyState, Flow } from './definition.ts'
import { needsAttention } from './needs-attention.ts'
import { pathOf } from './path.ts'

/**
 * The steps a person may jump to: those visited before and still on the path, and the path up to the first step that
 * needs attention, it included.
 */
export function reachableSteps(
  flow: Flow,
  state: Pick<AnyState, 'answers' | 'finished' | 'visited'>,
): ReadonlySet<StepId> {
  const { steps } = pathOf(flow, state.answers, state.finished)
  const first = needsAttention(flow, state)
  const open = first === undefined ? steps.length : steps.indexOf(first) + 1
  return new Set(steps.filter((step, at) => at < open || Object.hasOwn(state.visited, step)))
}
