import { parsePointer } from '../base/patch.ts'
import type { StampOf } from '../merge/merge-value.ts'
import type { Entry } from '../record/entry.ts'
import type { Change, StepId } from '../record/state.ts'

/** A change with when and by whom it was made. */
export interface StampedChange {
  readonly change: Change
  readonly at: number
  readonly writer: string
}

export function stampedChanges(entries: readonly Entry[]): StampedChange[] {
  return entries.flatMap((entry) =>
    (entry.changes ?? []).map((change) => ({ change, at: entry.at, writer: entry.writer })),
  )
}

/** The latest stamp among `changes` for a field: of the changes that touch it, something in it, or what holds it. */
export function latestStamp(changes: readonly StampedChange[]): StampOf {
  return (step, path) => {
    let latest = { at: 0, writer: '' }
    for (const { change, at, writer } of changes) {
      if (at >= latest.at && touches(change, step, path)) latest = { at, writer }
    }
    return latest
  }
}

function touches(change: Change, step: StepId, path: string): boolean {
  if (change.type === 'restarted') return true
  if (change.type === 'set') {
    return change.step === step && change.patch.some((operation) => overlaps(operation.path, path))
  }
  if (change.type !== 'merged') return false
  return change.patch.some(({ path: changed }) => {
    const [root, changedStep] = parsePointer(changed)
    if (root !== 'answers' || (changedStep !== undefined && changedStep !== step)) return false
    return overlaps(changed.split('/').slice(3).join('/'), path.slice(1))
  })
}

/** Tells whether two JSON Pointers name the same place or one lies inside the other. */
export function overlaps(a: string, b: string): boolean {
  return a === b || a === '' || b === '' || a.startsWith(`${b}/`) || b.startsWith(`${a}/`)
}
