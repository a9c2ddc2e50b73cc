import type { WaymarkError } from '../base/errors.ts'
import type { Answers, StepId } from '../record/state.ts'
import { judge } from './condition.ts'
import type { Condition, Flow, LastVerdict, StepNode, Verdict } from './definition.ts'

/** The verdict on the condition that `holder`, a node or one of its `next`, holds; `yes` without one. */
export type Ask = (holder: { readonly when?: Condition }, node: StepNode) => Verdict

/**
 * Asks conditions for one walk, each once. What the flow's conditions said last time stands while the answers they read
 * are the same objects, so a change costs the conditions that read it.
 */
export function createAsker(
  flow: Flow,
  answers: Answers,
  isSettled: (step: StepId) => boolean,
): { readonly ask: Ask; readonly errors: WaymarkError[] } {
  const verdicts = new Map<object, Verdict>()
  const errors: WaymarkError[] = []

  const stands = (last: LastVerdict) =>
    last.reads.every((read) => answers[read.step] === read.answers && isSettled(read.step) === read.isSettled)

  const askAnew = (when: Condition, holder: object, node: StepNode): LastVerdict => {
    const { verdict, error, reads } = judge(when, {
      flow,
      answers,
      isSettled,
      step: node.id,
      prefix: node.prefix,
    })
    const rests = [...(reads ?? [])].map((step) => ({
      step,
      answers: answers[step],
      isSettled: isSettled(step),
    }))
    const last = { verdict, error, reads: rests }
    if (reads === undefined) flow['~verdicts'].delete(holder)
    else flow['~verdicts'].set(holder, last)
    return last
  }

  const ask: Ask = (holder, node) => {
    if (holder.when === undefined) return 'yes'
    const known = verdicts.get(holder)
    if (known !== undefined) return known
    const last = flow['~verdicts'].get(holder)
    const { verdict, error } = last !== undefined && stands(last) ? last : askAnew(holder.when, holder, node)
    if (error !== undefined) errors.push(error)
    verdicts.set(holder, verdict)
    return verdict
  }
  return { ask, errors }
}
