import { canonicalJson } from '../base/canonical.ts'
import { sha256 } from '../base/hash.ts'
import type { Json } from '../base/json.ts'
import type { StepNode } from './definition.ts'

/**
 * Names the structure of a flow: ids, order, kinds, optional, weight, where `next` leads and whether conditions exist.
 * Titles and the source of functions are no part of it.
 */
export function structuralHash(id: string, nodes: readonly StepNode[]): string {
  return sha256(canonicalJson([id, nodes.map(structureOf)]))
}

function structureOf(node: StepNode): Json {
  const { leaf, children = [] } = node
  return {
    id: node.id,
    isConditional: node.when !== undefined,
    next: node.next.map((next) => [next.to, next.when !== undefined]),
    ...(leaf === undefined
      ? { steps: children.map(structureOf) }
      : {
          kind: leaf.each !== undefined ? 'each' : leaf.schema !== undefined ? 'schema' : 'any',
          isOptional: leaf.isOptional,
          weight: leaf.weight,
        }),
  }
}
