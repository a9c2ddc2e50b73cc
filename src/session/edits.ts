import { WaymarkError } from '../base/errors.ts'
import { createId, type Random } from '../base/ids.ts'
import type { Operation } from '../base/patch.ts'
import { type Flow, leafOf } from '../flow/definition.ts'
import type { KeyedItem, SessionState, StepId } from '../record/state.ts'
import type { Session } from './session.ts'
import { patchOfFields, patchOfItem, patchOfList } from './set-patch.ts'

/** The methods that change answers, each as one patch of one step. */
export type Edits<F extends Flow> = Pick<Session<F>, 'set' | 'add' | 'change' | 'drop'>

/** `apply` takes the patch; `isList` where items came, went or moved. */
export function createEdits<F extends Flow>(of: {
  readonly flow: F
  readonly session: string
  readonly random: Random
  readonly answers: () => SessionState['answers']
  readonly apply: (step: StepId, patch: readonly Operation[], isList: boolean) => void
}): Edits<F> {
  const { flow, session, random, answers, apply } = of

  function listOf(step: StepId): readonly KeyedItem[] {
    if (leafOf(flow, step).each === undefined) {
      throw new WaymarkError('step-unknown', `Step "${step}" of flow "${flow.id}" is not repeatable.`, {
        details: { flow: flow.id, step },
      })
    }
    return (answers()[step] ?? []) as readonly KeyedItem[]
  }

  function setList(step: StepId, items: unknown): void {
    apply(step, patchOfList(answers()[step], items, { session, step }), true)
  }

  return {
    set(step, fields) {
      const { id: leaf, each } = leafOf(flow, step)
      if (each !== undefined) setList(step, fields)
      else apply(step, patchOfFields(answers()[leaf], fields, { session, step }), false)
    },
    add(step, item) {
      const key = createId(random, 8)
      setList(step, [...listOf(step), { ...(item as object), key }])
      return key
    },
    change(step, key, fields) {
      const list = listOf(step)
      if (!list.some((item) => item.key === key)) {
        throw new WaymarkError(
          'item-unknown',
          `Step "${step}" has no item "${key}": it may have been removed in another tab.`,
          { details: { session, step, item: key } },
        )
      }
      apply(step, patchOfItem(list, key, fields, { session, step }), false)
    },
    drop(step, key) {
      const list = listOf(step)
      const rest = list.filter((item) => item.key !== key)
      if (rest.length < list.length) setList(step, rest)
    },
  }
}
