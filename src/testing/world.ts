/**
 * The world of one seed: devices with a disk and a clock each, their pages, the network between them and the server.
 *
 *   device ─ disk ◄─ connection ─┐
 *     │                          page ─ gate ─ Waymark, sessions
 *     └ clock                    │
 *   server ◄──────── line ───────┘
 *
 * Invariants
 * - Nothing happens but by the scheduler, and everything in it follows from the seed: no timer, clock or chance of the
 *   platform is asked.
 * - Every fault is the world's own and is counted when it strikes.
 */
import type { Clock } from '../base/clock.ts'
import type { Flow } from '../flow/definition.ts'
import type { Backend } from '../protocol/backend.ts'
import type { SyncItem, SyncOutcome } from '../protocol/wire.ts'
import { type Dice, diceOf, mix, randomOf } from './dice.ts'
import { createDisk, type Disk } from './disk.ts'
import type { StorageFault } from './disk-connection.ts'
import { createLockRoom, type LockRoom } from './locks.ts'
import type { NetworkFault } from './network.ts'
import { openPage, type Page } from './page.ts'
import type { OperationGroup, WorldPlan } from './plan.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { createServerLog, type ServerLog } from './server-log.ts'
import { createSimServer, type SimServer } from './sim-server.ts'
import type { TypingOf } from './typist.ts'
import { createWitness, type Witness } from './witness.ts'

export interface Device {
  readonly number: number
  readonly disk: Disk
  readonly locks: LockRoom
  /** How far its clock is from the world's. */
  offsetMs: number
  isOffline: boolean
  /** Whether tabs hear each other. */
  isMute: boolean
  fullUntil: number
  readonly storageFaults: StorageFault[]
  readonly networkFaults: NetworkFault[]
  /** Something on its disk was damaged. */
  isDamaged: boolean
  /** A page of it was ended from outside: nobody clears up what that left. */
  hasDied: boolean
  pages: Page[]
  /** Pages that are gone, whose last operations may still reach the disk. */
  gone: Page[]
}

export interface World {
  readonly seed: number
  readonly plan: WorldPlan
  readonly scheduler: Scheduler
  readonly witness: Witness
  readonly devices: readonly Device[]
  readonly server: Backend | undefined
  /** Where the server is the simulation's own. */
  readonly simServer: SimServer | undefined
  readonly log: ServerLog
  readonly typing: TypingOf
  /** Counted operations by group. */
  readonly mix: Record<OperationGroup, number>
  /** Everything that happened, as one number. */
  readonly trace: number
  note(what: number | string): void
  /** The flow that new pages know. */
  flow: Flow
  readonly newerFlow: Flow | undefined
  /** The number of the session each account is at. */
  readonly runByAccount: Map<string, number>
  /** `salt` makes its chances its own, whatever other pages there were. */
  openPage(device: Device, account: string, salt: number): Page
  /** Ends a page; of what it had asked of the disk, the first `survivors` are still carried out. */
  kill(page: Page, survivors: number): void
  /** Ends all pages of a device, and what any had asked of the disk: `survivorsOf` each were carried out. */
  crash(device: Device, survivorsOf: (pending: number) => number): void
  dice(...salts: readonly number[]): Dice
}

export interface WorldOptions {
  readonly seed: number
  readonly plan: WorldPlan
  readonly flow: Flow
  readonly newerFlow: Flow | undefined
  readonly typing: TypingOf
  readonly backend: ((context: { readonly clock: Clock }) => Backend) | undefined
}

/** The morning every world begins on. */
const firstMs = Date.UTC(2026, 0, 5, 9)

export function createWorld(options: WorldOptions): World {
  const { seed, plan } = options
  const scheduler = createScheduler()
  const witness = createWitness()
  const log = createServerLog(witness)
  const clock: Clock = { now: () => Math.floor(firstMs + scheduler.now), after: scheduler.after }
  const own =
    plan.hasServer && options.backend === undefined
      ? createSimServer({ clock, random: randomOf(diceOf(seed, 4)) })
      : undefined
  const server = plan.hasServer ? (own ?? options.backend?.({ clock })) : undefined
  let trace = mix(seed)
  let pages = 0

  const devices = Array.from(
    { length: plan.devices },
    (_, i): Device => ({
      ...{
        number: i + 1,
        disk: createDisk(),
        locks: createLockRoom(),
        offsetMs: 0,
        isOffline: false,
        isMute: false,
        fullUntil: 0,
      },
      ...{ storageFaults: [], networkFaults: [], isDamaged: false, hasDied: false, pages: [], gone: [] },
    }),
  )

  const world: World = {
    ...{ seed, plan, scheduler, witness, devices, server, log },
    simServer: own,
    typing: options.typing,
    mix: { writes: 0, moves: 0, faults: 0, jumps: 0, deaths: 0 },
    get trace() {
      return mix(trace ^ scheduler.count)
    },
    note(what) {
      if (typeof what === 'number') trace = mix(trace ^ what)
      else for (let i = 0; i < what.length; i++) trace = Math.imul(trace ^ what.charCodeAt(i), 0x01000193)
    },
    flow: options.flow,
    newerFlow: options.newerFlow,
    runByAccount: new Map(),
    openPage(device, account, salt) {
      const number = ++pages
      const page = openPage({
        ...{
          seed,
          salt,
          number,
          device: device.number,
          flow: world.flow,
          account,
          scheduler,
          server,
          witness,
        },
        disk: device.disk,
        locks: device.locks,
        clock: (gate) => ({ now: () => clock.now() + device.offsetMs, after: gate.after }),
        isOffline: () => device.isOffline,
        storageFaultOf: (what) => storageFault(device, what),
        networkFaultOf() {
          const fault = device.networkFaults.shift()
          if (fault !== undefined) world.mix.faults += 1
          return fault
        },
        tell(news) {
          if (page.gate.isDead || device.isMute) return
          const dice = diceOf(seed, 5, scheduler.count)
          for (const other of device.pages) {
            if (other !== page) other.gate.after(dice.between(0.05, 5), () => other.hear(news))
          }
        },
        onAnswer: answered,
      })
      device.pages = [...device.pages, page]
      return page
    },
    kill(page, survivors) {
      page.gate.kill()
      page.connection.cut(survivors)
      const device = devices[page.device - 1]!
      device.pages = device.pages.filter((other) => other !== page)
      device.locks.sweep()
      device.gone = [...device.gone, page].filter(({ connection }) => connection.pending > 0)
    },
    crash(device, survivorsOf) {
      for (const page of device.pages) page.gate.kill()
      for (const { connection } of [...device.gone, ...device.pages]) {
        connection.end(survivorsOf(connection.pending))
      }
      device.pages = device.gone = []
      device.locks.sweep()
    },
    dice: (...salts) => diceOf(seed, ...salts),
  }
  return world

  function storageFault(device: Device, what: 'read' | 'write'): StorageFault | undefined {
    if (what === 'write' && scheduler.now < device.fullUntil) return 'full'
    if (device.storageFaults[0] === 'full' && what === 'read') return undefined
    const fault = device.storageFaults.shift()
    if (fault !== undefined) world.mix.faults += 1
    return fault
  }

  function answered(items: readonly SyncItem[], outcomes: readonly SyncOutcome[], account: string): void {
    items.forEach((item, i) => {
      const outcome = outcomes[i]
      if (outcome?.type === 'accepted' && item.type === 'push') log.accept(item, account)
      if (outcome?.type === 'rejected') {
        witness.violate(
          'refused',
          `the server refused session ${item.session.slice(0, 6)}: ${outcome.reason}`,
        )
      }
    })
  }
}
