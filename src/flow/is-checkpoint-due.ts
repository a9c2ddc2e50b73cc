import type { Change } from '../record/state.ts'
import type { Flow } from './definition.ts'

/** Whether these changes, as one entry, lead to a checkpoint. */
export function isCheckpointDue(flow: Flow, changes: readonly Change[]): boolean {
  if (flow.checkpoints === 'change') return true
  return changes.some((change) => {
    if (change.type === 'status') return true
    if (change.type !== 'finished') return false
    return flow.checkpoints === 'step' || flow.leaves.get(change.step)?.isMilestone === true
  })
}
