import { canonicalJson } from '../base/canonical.ts'
import type { Json } from '../base/json.ts'
import type { Operation } from '../base/patch.ts'
import type { Change, StepId } from '../record/state.ts'

export type SetChange = Extract<Change, { type: 'set' }>

/** When an operation of a draft was typed, as a hybrid stamp. */
export type TypedAt = (operation: Operation) => number

/** Typing gathered until it becomes an entry: one operation per field, the last one wins. */
export interface DraftBuffer {
  readonly isEmpty: boolean
  /** Stamp of the latest change, 0 when empty. */
  readonly at: number
  readonly typedAt: TypedAt
  add(change: SetChange, at: number): void
  changes(): SetChange[]
  clear(): void
}

export function createDraftBuffer(): DraftBuffer {
  const fieldsByStep = new Map<StepId, Map<string, Operation>>()
  const stamps = new WeakMap<Operation, number>()
  let at = 0
  return {
    get isEmpty() {
      return fieldsByStep.size === 0
    },
    get at() {
      return at
    },
    typedAt: (operation) => stamps.get(operation) ?? at,
    add(change, changedAt) {
      at = Math.max(at, changedAt)
      const fields = fieldsByStep.get(change.step) ?? new Map<string, Operation>()
      fieldsByStep.set(change.step, fields)
      for (const operation of change.patch) {
        for (const path of [...fields.keys()]) {
          if (path === operation.path || path.startsWith(`${operation.path}/`)) fields.delete(path)
        }
        fields.set(operation.path, operation)
        stamps.set(operation, changedAt)
      }
    },
    changes: () =>
      [...fieldsByStep].map(([step, fields]) => ({ type: 'set', step, patch: [...fields.values()] })),
    clear() {
      fieldsByStep.clear()
      at = 0
    },
  }
}

/** Changes as the canonical text that drafts and entries store. */
export function toChangesText(changes: readonly Change[]): string {
  return canonicalJson(changes as unknown as Json)
}
