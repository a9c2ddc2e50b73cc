import { type Dice, diceOf } from './dice.ts'
import { networkFaults } from './network.ts'

/** What an operation counts as. */
export type OperationGroup = 'writes' | 'moves' | 'faults' | 'jumps' | 'deaths'

const kindsByGroup = {
  writes: ['type', 'type all', 'type long', 'add', 'change', 'drop item', 'take back'],
  moves: [
    ...['commit', 'next', 'back', 'go to', 'skip', 'pause', 'continue', 'restart', 'abandon', 'reopen'],
    ...[
      'wait',
      'sync',
      'stop sync',
      'sign in',
      'open page',
      'open',
      'close',
      'close page',
      'leave',
      'return',
    ],
    ...['account', 'claim', 'deploy'],
  ],
  faults: [
    ...['abort', 'full', 'lost', 'lost late', 'hang', 'damage'],
    ...networkFaults,
    ...['offline', 'restore server', 'mute', 'freeze'],
  ],
  jumps: ['jump'],
  deaths: ['kill', 'crash', 'power cut'],
} as const

export type OperationKind = (typeof kindsByGroup)[OperationGroup][number]

/** One thing that happens. Everything else about it follows from the seed and its number. */
export interface Operation {
  readonly id: number
  readonly kind: OperationKind
}

export interface WorldPlan {
  readonly devices: number
  /** Most pages open at once on a device. */
  readonly pages: number
  /** Who uses the devices; '' is someone not signed in. */
  readonly accounts: readonly string[]
  readonly hasServer: boolean
  readonly operations: readonly Operation[]
  /** How many faults are to strike, and what follows the operations for as long as fewer did. */
  readonly leastFaults: number
  readonly spareTrouble: readonly Operation[]
}

export interface PlanOptions {
  readonly seed: number
  readonly operations: number
  readonly devices: number
  readonly pages: number
  readonly hasBackend: boolean
  readonly hasFaults: boolean
  readonly hasNewerFlow: boolean
  readonly canRestore: boolean
}

const leastFaults = 5
/** Long enough for the disk to be asked {@link leastFaults} times. */
const mostSpare = 60

/** Weights of the kinds; those left out weigh nothing. */
type Weights = Partial<Record<OperationKind, number>>

const writing: Weights = {
  type: 36,
  'type all': 6,
  'type long': 0,
  add: 5,
  change: 4,
  'drop item': 2,
  'take back': 2,
}
const moving: Weights = {
  ...{
    commit: 4,
    next: 6,
    back: 2,
    'go to': 2,
    skip: 1,
    pause: 0.5,
    continue: 1,
    restart: 0.6,
    abandon: 0.2,
  },
  ...{ reopen: 0.5, wait: 3, sync: 2, 'stop sync': 0.3, 'sign in': 1, 'open page': 4, open: 1, close: 1 },
  ...{ 'close page': 1, leave: 1.5, return: 1.5 },
}
/** Some are through before others look, some have long lists. */
const habits: readonly Weights[] = [
  { next: 18, skip: 6, abandon: 0.6 },
  { add: 14, change: 12, 'drop item': 6 },
]
const storing: Weights = { abort: 3, full: 1.5, lost: 2, 'lost late': 2, hang: 2 }
const sending: Weights = {
  ...{ drop: 2, 'lose reply': 3, late: 1.5, duplicate: 2, slow: 2, busy: 1.5, 'busy late': 1, 'sign out': 1 },
  ...{ forbid: 0.7, 'too large': 1, short: 1, reject: 1.5, offline: 1.5 },
}
const ending: Weights = { kill: 3, crash: 1, 'power cut': 1.5 }

/**
 * What happens in the world of a seed. Each seed has its own few sorts of trouble, heavier than all of them together
 * would be: faults that hide each other meet alone (Groce et al., "Swarm testing", 2012).
 */
export function planWorld(options: PlanOptions): WorldPlan {
  const dice = diceOf(options.seed, 1)
  const hasServer = options.hasBackend && !dice.is(0.12)
  const canChange = dice.is(0.2)
  const accounts = canChange
    ? dice.pick([
        ['ada', 'bob'],
        ['', 'ada'],
        ['', 'ada', 'bob'],
      ])
    : ['ada']
  const weights: Weights = {
    ...writing,
    ...moving,
    ...(dice.is(0.4) ? dice.pick(habits) : {}),
    ...(dice.is(0.15) ? { 'type long': 1 } : {}),
    ...(canChange ? { account: 2, claim: accounts.includes('') ? 1.5 : 0 } : {}),
    ...(options.hasNewerFlow && dice.is(0.2) ? { deploy: 0.7 } : {}),
    ...(options.hasFaults ? trouble(dice, hasServer, options.canRestore) : {}),
  }
  const kinds = Object.keys(weights) as OperationKind[]
  return {
    devices: 1 + dice.below(options.devices),
    pages: 1 + dice.below(options.pages),
    accounts,
    hasServer,
    operations: Array.from({ length: options.operations }, (_, id) => ({
      id,
      kind: drawn(kinds, weights, diceOf(options.seed, 2, id)),
    })),
    leastFaults: options.hasFaults ? leastFaults : 0,
    spareTrouble: Array.from({ length: mostSpare }, (_, i) => ({
      id: options.operations + i,
      kind: i % 2 === 0 ? 'abort' : 'type',
    })),
  }
}

/** Some sorts of trouble, at least one of storage or network. */
function trouble(dice: Dice, hasServer: boolean, canRestore: boolean): Weights {
  const some = (weights: Weights): Weights =>
    Object.fromEntries(
      Object.entries(weights).flatMap(([kind, weight]) => (dice.is(0.5) ? [[kind, weight * 2]] : [])),
    )
  return {
    ...some(storing),
    ...(hasServer ? some(sending) : {}),
    ...some(ending),
    ...some({ mute: 2, freeze: 2, jump: 3 }),
    ...(dice.is(0.25) ? { damage: 1.5 } : {}),
    ...(hasServer && canRestore && dice.is(0.15) ? { 'restore server': 0.7 } : {}),
    abort: 3,
    kill: 1.5,
  }
}

function drawn(kinds: readonly OperationKind[], weights: Weights, dice: Dice): OperationKind {
  const sum = kinds.reduce((total, kind) => total + (weights[kind] ?? 0), 0)
  let left = dice.next() * sum
  for (const kind of kinds) {
    left -= weights[kind] ?? 0
    if (left < 0) return kind
  }
  return 'type'
}

const groupByKind = new Map<OperationKind, OperationGroup>(
  (Object.keys(kindsByGroup) as OperationGroup[]).flatMap((group) =>
    kindsByGroup[group].map((kind) => [kind, group] as const),
  ),
)

export function groupOf(kind: OperationKind): OperationGroup {
  return groupByKind.get(kind)!
}
