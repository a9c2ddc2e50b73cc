import type { StepId } from '../record/state.ts'
import { judge } from './condition.ts'
import type { Condition, Flow, StepNode } from './definition.ts'
import { leavesOf } from './definition.ts'
import { pathOf } from './path.ts'

export interface Finding {
  readonly code:
    | 'all-optional'
    | 'condition-throws'
    | 'condition-not-boolean'
    | 'condition-reads-ahead'
    | 'condition-reads-unknown'
    | 'next-unused'
    | 'no-end'
    | 'no-start'
    | 'step-unreachable'
    | 'steps-cycle'
    | 'title-missing'
  readonly step?: StepId
  readonly message: string
}

/** What looks wrong in a flow that can run: for a test or a form builder, never at run time. */
export function lint(flow: Flow): readonly Finding[] {
  const nodes = flow['~nodes']
  const findings = [...lintTitles(flow, nodes), ...lintLevel(nodes), ...lintConditions(flow, nodes)]
  if ([...flow.leaves.values()].every((leaf) => leaf.isOptional)) {
    findings.push({
      code: 'all-optional',
      message: 'Every step is optional: a session is complete untouched.',
    })
  }
  if (pathOf(flow, {}).steps.length === 0) {
    findings.push({
      code: 'no-start',
      message: 'Without answers no step is surely on the path: make the first one unconditional.',
    })
  }
  return findings
}

function lintTitles(flow: Flow, nodes: readonly StepNode[]): Finding[] {
  const findings: Finding[] = []
  if (flow.title.trim() === '') findings.push({ code: 'title-missing', message: 'The flow has no title.' })
  for (const node of flatten(nodes)) {
    if (node.title.trim() !== '') continue
    findings.push({ code: 'title-missing', step: node.id, message: `Step "${node.id}" has no title.` })
  }
  return findings
}

/** Walks a level as if any condition may go either way. */
function lintLevel(nodes: readonly StepNode[]): Finding[] {
  const findings: Finding[] = []
  const reached = new Set<number>()
  const open = [0]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (reached.has(at)) continue
    reached.add(at)
    const node = nodes[at]
    if (node === undefined) continue
    const last = node.next.findIndex((next) => next.when === undefined)
    const used = last < 0 ? node.next : node.next.slice(0, last + 1)
    open.push(...used.map((next) => next.to))
    if (last < 0 || node.when !== undefined) open.push(at + 1)
    for (const next of node.next.slice(used.length)) {
      const message = `Step "${node.id}" never leads to "${nodes[next.to]!.id}": an unconditional one comes first.`
      findings.push({ code: 'next-unused', step: node.id, message })
    }
    for (const next of used) {
      if (next.to > at) continue
      const message = `Step "${node.id}" leads back to "${nodes[next.to]!.id}": where that was passed, it is ignored.`
      findings.push({ code: 'steps-cycle', step: node.id, message })
    }
  }
  nodes.forEach((node, at) => {
    if (!reached.has(at)) {
      findings.push({
        code: 'step-unreachable',
        step: node.id,
        message: `No way leads to step "${node.id}".`,
      })
    }
    if (node.children !== undefined) findings.push(...lintLevel(node.children))
  })
  if (!reached.has(nodes.length)) {
    findings.push({ code: 'no-end', message: `No way leads to the end, past "${nodes.at(-1)!.id}".` })
  }
  return findings
}

function lintConditions(flow: Flow, nodes: readonly StepNode[]): Finding[] {
  const findings: Finding[] = []
  for (const node of flatten(nodes)) {
    const first = leavesOf(node)[0]!.order
    const last = leavesOf(node).at(-1)!.order
    const inspect = (condition: Condition | undefined, known: number) => {
      if (condition === undefined) return
      const question = { flow, answers: {}, isSettled: () => false, step: node.id, prefix: node.prefix }
      const { unanswered, hasThrown, error } = judge(condition, question)
      if (hasThrown) {
        const message = `A condition of step "${node.id}" throws without answers: read them with "?.".`
        findings.push({ code: 'condition-throws', step: node.id, message })
      } else if (error !== undefined) {
        findings.push({ code: 'condition-not-boolean', step: node.id, message: error.message })
      }
      for (const read of unanswered) {
        const order = flow.leaves.get(read)?.order
        if (order === undefined) {
          const message = `A condition of step "${node.id}" reads "${read}", which is no step.`
          findings.push({ code: 'condition-reads-unknown', step: node.id, message })
        } else if (order > known) {
          const message = `A condition of step "${node.id}" reads "${read}", which is asked later.`
          findings.push({ code: 'condition-reads-ahead', step: node.id, message })
        }
      }
    }
    inspect(node.when, first - 1)
    for (const next of node.next) inspect(next.when, last)
  }
  return findings
}

function flatten(nodes: readonly StepNode[]): readonly StepNode[] {
  return nodes.flatMap((node) => [node, ...flatten(node.children ?? [])])
}
