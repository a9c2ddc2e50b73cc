import type { Condition, Flow, Leaf, StepNode } from './definition.ts'
import type { MergePolicies } from './merge-policy.ts'
import type { StandardSchemaV1 } from './standard-schema.ts'

/** A checked step, its types forgotten. */
export interface LooseStep {
  readonly title: string
  readonly description?: string
  readonly schema?: StandardSchemaV1
  readonly each?: StandardSchemaV1
  readonly flow?: Flow
  readonly when?: Condition
  readonly next?: readonly { readonly to: string; readonly when?: Condition }[]
  readonly optional?: boolean
  readonly weight?: number
  readonly milestone?: boolean
  readonly merge?: MergePolicies
  readonly sensitive?: readonly string[]
}

/** The frozen tree of checked steps; the nodes of a sub-flow are copied under their new ids. */
export function buildNodes(steps: { readonly [key: string]: unknown }): readonly StepNode[] {
  const keys = Object.keys(steps)
  let order = 0
  return freezeAll(
    keys.map((key) => {
      const step = steps[key] as LooseStep
      const { optional: isOptional = false, milestone: isMilestone = false, weight = 1 } = step
      const node = {
        ...own(step, ['title', 'when']),
        key,
        id: key,
        prefix: '',
        next: freezeAll((step.next ?? []).map((to) => ({ ...own(to, ['when']), to: keys.indexOf(to.to) }))),
      } as const
      if (step.flow === undefined) {
        const leaf: Leaf = {
          ...own(step, ['title', 'description', 'schema', 'each', 'merge', 'sensitive']),
          id: key,
          isOptional,
          isMilestone,
          weight,
          order: order++,
        }
        return { ...node, leaf: Object.freeze(leaf) }
      }
      const children = embed(step.flow['~nodes'], { key, isOptional, isMilestone, weight, order })
      order += step.flow.leaves.size
      return { ...node, children }
    }),
  )
}

function embed(
  nodes: readonly StepNode[],
  into: {
    readonly key: string
    readonly isOptional: boolean
    readonly isMilestone: boolean
    readonly weight: number
    readonly order: number
  },
): readonly StepNode[] {
  return freezeAll(
    nodes.map((node) => {
      const id = `${into.key}.${node.id}`
      const embedded = { ...node, id, prefix: `${into.key}.${node.prefix}` }
      if (node.leaf === undefined) return { ...embedded, children: embed(node.children ?? [], into) }
      const { isOptional, isMilestone, weight, order } = node.leaf
      const leaf: Leaf = {
        ...node.leaf,
        id,
        isOptional: isOptional || into.isOptional,
        isMilestone: isMilestone || into.isMilestone,
        weight: weight * into.weight,
        order: order + into.order,
      }
      return { ...embedded, leaf: Object.freeze(leaf) }
    }),
  )
}

function own<T extends object, const K extends keyof T>(from: T, names: readonly K[]): Pick<T, K> {
  const picked: Partial<Pick<T, K>> = {}
  for (const name of names) if (from[name] !== undefined) picked[name] = from[name]
  return picked as Pick<T, K>
}

function freezeAll<T extends object>(list: readonly T[]): readonly T[] {
  for (const item of list) Object.freeze(item)
  return Object.freeze(list)
}
