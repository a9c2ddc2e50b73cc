import type { Flow, Leaf, StepNode } from '../flow/definition.ts'
import type { StepId } from '../record/state.ts'
import { successorsOf } from './successors.ts'

/** What a state of the machine tells about its step, as `meta`. */
export interface StepMeta {
  readonly step: Pick<Leaf, 'id' | 'title' | 'order' | 'weight'> & { readonly optional: boolean }
}

/** A target of which the guard says whether it is the one; the first that holds is taken. */
interface Way {
  guard?: 'staysHere' | 'ends' | { type: 'leadsTo' | 'isAt'; params: { step: StepId } }
  target?: string
  actions?: ('emitChanges' | 'foldChanges')[]
}

export interface StepState {
  id: string
  description: string
  meta?: StepMeta
  initial?: string
  states?: Record<string, StepState>
  on?: Partial<Record<'next' | 'skip', Way[]>>
  always?: Way[]
}

/**
 * The states of a flow's machine and the ways between them. `next` and `skip` are drawn from step to step; what may lead
 * anywhere is drawn once, at the root. The guards, not the drawing, decide: where no drawn way holds, the root's are tried.
 */
export function configOf(flow: Flow) {
  const actions: Way['actions'] = ['emitChanges', 'foldChanges']
  const wayTo = (step: StepId): Way => ({
    guard: { type: 'leadsTo', params: { step } },
    target: targetOf(step),
    actions,
  })
  const stays: Way = { guard: 'staysHere', actions }
  const ends: Way = { guard: 'ends', target: '#ended', actions }
  const anywhere = [...flow.leaves.keys()].map(wayTo)
  const successors = successorsOf(flow)
  return {
    id: flow.id,
    description: flow.title,
    initial: '/opening',
    states: {
      '/opening': opening(flow),
      ...statesOf(flow['~nodes'], (leaf) => {
        const onward = [...[...(successors.get(leaf.id) ?? [])].map(wayTo), ends, stays]
        return leaf.isOptional ? { next: onward, skip: onward } : { next: onward }
      }),
      ended: { id: 'ended', description: 'Done, abandoned or expired.' },
    } as Record<string, StepState>,
    on: {
      set: [stays, ...anywhere],
      next: anywhere,
      skip: anywhere,
      back: anywhere,
      goTo: anywhere,
      pause: [stays],
      continue: [stays],
      abandon: [ends],
      expire: [ends],
      restart: [stays, ...anywhere],
      reopen: anywhere,
      resolve: [stays, ...anywhere],
      revert: [stays, ends, ...anywhere],
      adopt: [stays, ends, ...anywhere].map((way) => ({ ...way, actions: ['foldChanges' as const] })),
    },
  }
}

function opening(flow: Flow): StepState {
  const ways = [...flow.leaves.keys()].map(
    (step): Way => ({ guard: { type: 'isAt', params: { step } }, target: targetOf(step) }),
  )
  return {
    id: '/opening',
    description: 'Enters the step the session is at.',
    always: [...ways, { target: '#ended' }],
  }
}

function statesOf(
  nodes: readonly StepNode[],
  waysOf: (leaf: Leaf) => NonNullable<StepState['on']>,
): Record<string, StepState> {
  const states: Record<string, StepState> = {}
  for (const { key, id, title, leaf, children } of nodes) {
    const state: StepState = { id: stateId(id), description: title }
    if (leaf !== undefined) {
      const { order, weight, isOptional: optional } = leaf
      states[key] = { ...state, meta: { step: { id, title, order, weight, optional } }, on: waysOf(leaf) }
    } else if (children !== undefined) {
      states[key] = { ...state, initial: children[0]!.key, states: statesOf(children, waysOf) }
    }
  }
  return states
}

/** XState splits targets at dots, so an id has none. */
function stateId(step: StepId): string {
  return `step/${step.replaceAll('.', '/')}`
}

function targetOf(step: StepId): string {
  return `#${stateId(step)}`
}
