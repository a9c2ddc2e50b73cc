import type { Flow, StepNode } from '../flow/definition.ts'
import type { StepId } from '../record/state.ts'

/** Where finishing each leaf step may lead, whatever its conditions say: the edges of the drawn machine. */
export function successorsOf(flow: Flow): ReadonlyMap<StepId, ReadonlySet<StepId>> {
  const successors = new Map<StepId, ReadonlySet<StepId>>()
  connect(flow['~nodes'], new Set(), successors)
  return successors
}

/** `beyond` is where the end of this level leads. */
function connect(
  nodes: readonly StepNode[],
  beyond: ReadonlySet<StepId>,
  into: Map<StepId, ReadonlySet<StepId>>,
): void {
  nodes.forEach((node, at) => {
    const isCertain = node.next.some((next) => next.when === undefined)
    const after = new Set(node.next.flatMap((next) => [...entries(nodes, next.to, beyond)]))
    if (!isCertain) for (const step of entries(nodes, at + 1, beyond)) after.add(step)
    if (node.children === undefined) into.set(node.id, after)
    else connect(node.children, after, into)
  })
}

/** The steps a person may meet who arrives at `from`: conditional ones may be passed over, `beyond` follows the last. */
function entries(nodes: readonly StepNode[], from: number, beyond: ReadonlySet<StepId>): ReadonlySet<StepId> {
  const node = nodes[from]
  if (node === undefined) return beyond
  const isPassable = node.when !== undefined
  if (node.children === undefined && !isPassable) return new Set([node.id])
  const past = entries(nodes, from + 1, beyond)
  const met = node.children === undefined ? [node.id] : entries(node.children, 0, past)
  return new Set([...met, ...(isPassable ? past : [])])
}
