import type { Answers, StepId } from '../record/state.ts'
import { type Ask, createAsker } from './asker.ts'
import {
  type AnyAnswers,
  type Finished,
  type Flow,
  leavesOf,
  type Path,
  type StepNode,
} from './definition.ts'

const nothingFinished: Finished = Object.freeze({})

/**
 * The steps a person goes through with these answers. A step whose condition read an unanswered field is undecided, and
 * so is what an undecided `next` might jump over. With `finished`, fields that finished steps left empty count as
 * answered; without it every missing field may still come. No step is passed twice: a `next` that leads back is ignored.
 * Computed once per pair of references, and only conditions that read what changed are asked again.
 */
export function pathOf(flow: Flow, of: AnyAnswers, finished: Finished = nothingFinished): Path {
  const answers = of as Answers
  const byFinished = flow['~paths'].get(answers) ?? new WeakMap<Finished, Path>()
  flow['~paths'].set(answers, byFinished)
  const path = byFinished.get(finished) ?? walkFlow(flow, answers, finished)
  byFinished.set(finished, path)
  return path
}

function walkFlow(flow: Flow, answers: Answers, finished: Finished): Path {
  const left = new Set<StepId>()
  const isSettled = (step: StepId) =>
    left.has(step) || Object.hasOwn(finished, step) || !flow.leaves.has(step)
  const { ask, errors } = createAsker(flow, answers, isSettled)
  const { steps, undecided } = walk(flow['~nodes'], ask, left)
  const orderOf = (step: StepId) => flow.leaves.get(step)!.order
  return Object.freeze({
    steps: Object.freeze(steps),
    undecided: Object.freeze(undecided.sort((a, b) => orderOf(a) - orderOf(b))),
    errors: Object.freeze(errors),
  })
}

interface Found {
  steps: StepId[]
  undecided: StepId[]
}

/** Walks one level as if what is undecided did not happen, then takes from it what other decisions would avoid. */
function walk(nodes: readonly StepNode[], ask: Ask, left: Set<StepId>): Found {
  const passed = new Set<number>()
  const found = new Map<number, Found>()
  const visit = (at: number) => {
    const { leaf, children } = nodes[at]!
    found.set(at, leaf ? { steps: [leaf.id], undecided: [] } : walk(children ?? [], ask, left))
  }
  const leave = (node: StepNode) => {
    for (const leaf of leavesOf(node)) left.add(leaf.id)
  }
  let isForked = false
  for (let at = 0; at < nodes.length; ) {
    passed.add(at)
    const node = nodes[at]!
    const verdict = ask(node, node)
    let to = at + 1
    if (verdict === 'no') leave(node)
    else {
      visit(at)
      for (const next of node.next) {
        const holds = ask(next, node)
        if (holds === 'undecided' || (holds === 'yes' && verdict === 'undecided')) isForked = true
        else if (holds === 'yes' && !passed.has(next.to)) {
          to = next.to
          break
        }
      }
    }
    for (let over = at + 1; over < to && !isForked; over++) {
      if (!passed.has(over) && !isReturnedTo(nodes, over)) leave(nodes[over]!)
    }
    while (passed.has(to)) to++
    at = to
  }
  return isForked
    ? sift(nodes, ask, found, visit)
    : join(found, (at) => ask(nodes[at]!, nodes[at]!) === 'yes')
}

/** With undecided jumps, sure is what lies on every possible walk; undecided is what lies on some. */
function sift(
  nodes: readonly StepNode[],
  ask: Ask,
  found: Map<number, Found>,
  visit: (at: number) => void,
): Found {
  const walked = [...found.keys()]
  const isSure = new Set(
    walked.filter(
      (at) => ask(nodes[at]!, nodes[at]!) === 'yes' && !possible(nodes, ask, at).has(nodes.length),
    ),
  )
  for (const at of possible(nodes, ask)) {
    if (at < nodes.length && !found.has(at) && ask(nodes[at]!, nodes[at]!) !== 'no') visit(at)
  }
  return join(found, (at) => isSure.has(at))
}

/** The places some walk reaches that does not pass `avoided`; the number of nodes is the end. */
function possible(nodes: readonly StepNode[], ask: Ask, avoided = -1): ReadonlySet<number> {
  const reached = new Set<number>()
  const open = [0]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === avoided || reached.has(at)) continue
    reached.add(at)
    if (at < nodes.length) open.push(...exits(nodes, ask, at))
  }
  return reached
}

function exits(nodes: readonly StepNode[], ask: Ask, at: number): readonly number[] {
  const node = nodes[at]!
  const verdict = ask(node, node)
  const isReturned = isReturnedTo(nodes, at)
  const targets: number[] = []
  for (const next of verdict === 'no' ? [] : node.next) {
    const holds = ask(next, node)
    if (holds !== 'no') targets.push(next.to)
    const isTaken = holds === 'yes' && verdict === 'yes' && next.to > at && !isReturned
    if (isTaken) return targets
  }
  return [...targets, ...(isReturned ? nodes.slice(at).map((_, i) => at + 1 + i) : [at + 1])]
}

/** Tells a step that may be jumped over and led back to: what follows it may have been passed by then. */
function isReturnedTo(nodes: readonly StepNode[], at: number): boolean {
  const isJumpedOver = (over: number) =>
    nodes.some((node, i) => i < over && node.next.some((next) => next.to > over))
  return (
    isJumpedOver(at) &&
    nodes.some((node, i) => i > at && node.next.some((next) => next.to <= at && isJumpedOver(next.to)))
  )
}

function join(found: ReadonlyMap<number, Found>, isSure: (at: number) => boolean): Found {
  const steps: StepId[] = []
  const undecided: StepId[] = []
  for (const [at, inner] of found) {
    ;(isSure(at) ? steps : undecided).push(...inner.steps)
    undecided.push(...inner.undecided)
  }
  return { steps, undecided }
}
