/**
 * One page load: the real library over ports that can be cut. Whatever happens to the page happens at its gate; behind a
 * closed one its code may run on, with no effect on anything.
 */
import type { Clock } from '../base/clock.ts'
import { createEmitter } from '../base/emitter.ts'
import { isWaymarkError } from '../base/errors.ts'
import { createWaymark, type Waymark } from '../client/create-waymark.ts'
import type { PageLife } from '../client/page-life.ts'
import type { TabNews } from '../client/tabs.ts'
import type { Flow } from '../flow/definition.ts'
import type { Backend } from '../protocol/backend.ts'
import { type Change, isEnded } from '../record/state.ts'
import type { Session } from '../session/session.ts'
import { diceOf, randomOf } from './dice.ts'
import type { Disk } from './disk.ts'
import { connectDisk, type DiskConnection, type StorageFault } from './disk-connection.ts'
import { createGate, type Gate } from './gate.ts'
import type { LockRoom } from './locks.ts'
import { type Line, type NetworkFault, openLine } from './network.ts'
import type { Scheduler } from './scheduler.ts'
import type { Watch, Witness } from './witness.ts'

/** A page as a person has it open. */
export interface Page {
  readonly number: number
  readonly device: number
  readonly flow: Flow
  readonly gate: Gate
  readonly waymark: Waymark
  readonly connection: DiskConnection
  readonly line: Line
  readonly life: PageLife | undefined
  /** The sessions open, the one opened last at the end. */
  readonly sessions: readonly OpenSession[]
  /** What was asked for and has not answered yet, in words. */
  readonly waiting: ReadonlySet<string>
  open(key: string): void
  resume(id: string): void
  /** Watches a call: what it rejects with must be something the library says. */
  track<T>(words: string, call: () => Promise<T>, then?: (value: T) => void): void
  forget(session: OpenSession): void
  forgetAll(): void
  hear(news: TabNews): void
}

export interface OpenSession {
  readonly session: Session
  readonly account: string
  readonly watch: Watch
  /** Runs what a person does; what changes in the answers meanwhile is theirs. False where the library refused. */
  act(run: () => void): boolean
}

export interface PageOptions {
  readonly seed: number
  readonly salt: number
  readonly number: number
  readonly device: number
  readonly flow: Flow
  readonly account: string
  readonly scheduler: Scheduler
  readonly disk: Disk
  readonly locks: LockRoom
  readonly clock: (gate: Gate) => Clock
  readonly server: Backend | undefined
  readonly isOffline: () => boolean
  readonly storageFaultOf: (what: 'read' | 'write') => StorageFault | undefined
  readonly networkFaultOf: () => NetworkFault | undefined
  /** To the other pages of the device. */
  readonly tell: (news: TabNews) => void
  readonly witness: Witness
  readonly onAnswer: Parameters<typeof openLine>[0]['onAnswer']
}

/** Errors a person may be shown when things go wrong; anything else is a fault of the library. */
const expected = new Set([
  ...['closed', 'session-ended', 'session-unknown', 'item-unknown', 'outdated', 'record-unreadable'],
  ...['storage-failed', 'storage-full'],
])

export function openPage(options: PageOptions): Page {
  const { number, device, flow, scheduler, disk, witness } = options
  const name = `page ${number}`
  const dice = diceOf(options.seed, 3, options.salt)
  const gate = createGate(scheduler, (error) => witness.violate('threw', `${name}: ${wordsOf(error)}`))
  const connection = connectDisk({ disk, scheduler, gate, dice, faultOf: options.storageFaultOf })
  const line = openLine({
    ...{ scheduler, gate, dice, isOffline: options.isOffline, faultOf: options.networkFaultOf },
    server: options.server ?? { exchange: () => new Promise(() => {}) },
    onSend: (items, account) => witness.sends(account, device, JSON.stringify(items)),
    onAnswer: options.onAnswer,
    onBroken: (words) => witness.violate('backend', `the backend ${words}`),
    onImpatience: (earlyMs) =>
      witness.violate('impatient', `${name} came ${Math.ceil(earlyMs)} ms before it was asked to`),
  })
  const heard = createEmitter<TabNews>()
  const waiting = new Set<string>()
  let sessions: OpenSession[] = []
  const known = new WeakMap<Session, OpenSession>()
  let life: PageLife | undefined
  const waymark = createWaymark<Flow>({
    flows: [flow],
    account: options.account,
    ...(options.server === undefined ? {} : { backend: line.backend }),
    store: connection.store,
    clock: options.clock(gate),
    random: randomOf(dice),
    locks: options.locks.locksOf(gate),
    tabs: { tell: options.tell, on: heard.on, close: () => {} },
    watchLife(given) {
      life = given
      return () => (life = undefined)
    },
    onError(error) {
      if (!isExpected(error)) witness.violate('threw', `${name}, in the background: ${wordsOf(error)}`)
    },
  })

  function watchSession(session: Session): OpenSession {
    const { account } = waymark
    const watch: Watch = {
      ...{ account, session: session.id, device, page: number, disk },
      ...{ hasServer: options.server !== undefined, unsafe: [], unhardened: [], unsent: [], hasEnded: false },
    }
    let isActing = false
    const look = () => {
      if (gate.isDead || isActing) return
      const { answers, status, progress, finished } = session.getSnapshot()
      const { saved } = session.status.getSnapshot()
      witness.shown(watch, answers, name)
      witness.told(watch, saved)
      const { done, min, max, fraction, steps } = progress
      const isThere = status === 'done' && (options.server === undefined || saved.server === 'yes')
      if (!(done <= min && min <= max && fraction >= 0 && fraction <= 1) || (fraction === 1 && !isThere)) {
        witness.violate(
          'progress',
          `${name} shows ${done} of ${min} to ${max}, ${fraction}, while ${status} and ${saved.server} on the server`,
        )
      }
      const passed = steps.filter(({ id, state }) => state !== 'undecided' && Object.hasOwn(finished, id))
      if (done > passed.length) {
        witness.violate('progress', `${name} counts ${done} steps as done, with ${passed.length} on the path`)
      }
      const record = witness.sessionOf(session.id)
      if (isEnded(status)) {
        watch.hasEnded = true
        if (saved.device === 'strict') record.endedBy ??= `${name} as ${status}`
      } else if (watch.hasEnded && !record.isReopened) {
        witness.violate(
          'reverted',
          `${name} showed session ${session.id.slice(0, 6)} as ended, and does no more`,
        )
      }
    }
    session.subscribe(look)
    session.status.subscribe(look)
    session.actor.on('changes', ({ changes }) => {
      if (gate.isDead) return
      const { doneOn } = witness.sessionOf(session.id)
      doneOn.set(device, (doneOn.get(device) ?? 0) + changes.filter(isDoneOnce).length)
    })
    session.on('closed', () => {
      const open = known.get(session)
      if (open !== undefined) page.forget(open)
    })
    session.on('conflict', ({ conflicts }) => {
      if (!gate.isDead) witness.toldLosers(conflicts)
    })
    if (session.getSnapshot().flow.version > flow.version) {
      witness.violate('outdated', `${name} of version ${flow.version} has a session of a newer one open`)
    }
    look()
    return {
      session,
      account,
      watch,
      act(run) {
        const before = session.getSnapshot()
        isActing = true
        try {
          run()
        } catch (error) {
          if (!isExpected(error)) witness.violate('threw', `${name}: ${wordsOf(error)}`)
          return false
        } finally {
          isActing = false
        }
        const after = session.getSnapshot()
        witness.acted(watch, before.answers, after.answers)
        look()
        return true
      },
    }
  }

  const page: Page = {
    number,
    device,
    flow,
    gate,
    waymark,
    connection,
    line,
    get life() {
      return life
    },
    get sessions() {
      return sessions
    },
    waiting,
    open: (key) => page.track(`open ${key}`, () => waymark.open(flow.id, { key }), add),
    resume: (id) => page.track(`resume ${id}`, () => waymark.resume(id), add),
    track(words, call, then = () => {}) {
      const entry = `${words} (${waiting.size + 1})`
      waiting.add(entry)
      const failed = (error: unknown) => {
        waiting.delete(entry)
        if (gate.isDead || isExpected(error)) return
        witness.violate('threw', `${name}, ${words}: ${wordsOf(error)}`)
      }
      try {
        call().then((value) => {
          waiting.delete(entry)
          if (!gate.isDead) then(value)
        }, failed)
      } catch (error) {
        failed(error)
      }
    },
    forget(gone) {
      sessions = sessions.filter((one) => one !== gone)
    },
    forgetAll() {
      sessions = []
    },
    hear: heard.emit,
  }

  function add(session: Session): void {
    // Closed and opened again in one breath, it is the same one.
    const open = known.get(session) ?? watchSession(session)
    known.set(session, open)
    sessions = [...sessions.filter((one) => one !== open), open]
  }

  return page
}

/** Something a person did, and did once, however often it is sent or merged. */
export function isDoneOnce({ type }: Change): boolean {
  return type === 'moved' || type === 'finished' || type === 'status' || type === 'restarted'
}

function isExpected(error: unknown): boolean {
  return isWaymarkError(error) && expected.has(error.code)
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
