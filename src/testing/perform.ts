import { type Flow, type Leaf, leafOf } from '../flow/definition.ts'
import { isEnded, type KeyedItem } from '../record/state.ts'
import type { Dice } from './dice.ts'
import type { OpenSession, Page } from './page.ts'
import { groupOf, type Operation, type OperationKind } from './plan.ts'
import { createTypist } from './typist.ts'
import { valuesIn } from './values.ts'
import type { Device, World } from './world.ts'

/**
 * Does what an operation says, and says what that was. Where there is nothing to do it to, the person at that device types
 * something instead; `undefined` where not even that.
 */
export function perform(world: World, { id, kind }: Operation): string | undefined {
  const dice = world.dice(6, id)
  const device = dice.pick(world.devices)
  const asked = onDevice(world, device, kind, dice) ?? onPage(world, device, kind, dice)
  const done = asked ?? onPage(world, device, 'type', dice)
  if (done === undefined) return undefined
  // Faults that wait for the next read, write or exchange are counted when they strike.
  const group = done.group ?? groupOf(asked === undefined ? 'type' : kind)
  if (done.isStruck !== false) world.mix[group] += 1
  world.note(`${id} ${done.text}`)
  return done.text
}

interface Done {
  readonly text: string
  /** What it was in the end, where it was something else. */
  readonly group?: 'moves'
  readonly isStruck?: false
}

function onDevice(world: World, device: Device, kind: OperationKind, dice: Dice): Done | undefined {
  const { witness, scheduler } = world
  const at = `device ${device.number}`
  switch (kind) {
    case 'abort':
    case 'lost':
    case 'lost late':
    case 'hang':
      device.storageFaults.push(kind)
      return { text: `${at}: the next operation of its disk meets "${kind}"`, isStruck: false }
    case 'full': {
      const forMs = dice.between(10, 20_000)
      device.fullUntil = scheduler.now + forMs
      return { text: `${at}: its disk is full for ${Math.round(forMs)} ms` }
    }
    case 'damage': {
      const damaged = device.disk.damage(dice)
      if (damaged === undefined) return undefined
      device.isDamaged = true
      witness.damaged(damaged.values)
      return { text: `${at}: damage to ${damaged.store} ${JSON.stringify(damaged.key)}` }
    }
    case 'drop':
    case 'lose reply':
    case 'late':
    case 'duplicate':
    case 'slow':
    case 'busy':
    case 'busy late':
    case 'sign out':
    case 'forbid':
    case 'too large':
    case 'short':
    case 'reject':
      if (world.server === undefined) return undefined
      device.networkFaults.push(kind)
      return { text: `${at}: its next exchange meets "${kind}"`, isStruck: false }
    case 'offline': {
      if (world.server === undefined || device.isOffline) return undefined
      device.isOffline = true
      const isTold = dice.is(0.5)
      if (isTold) for (const { life } of device.pages) life?.onOnline(false)
      scheduler.after(dice.between(100, 60_000), () => {
        device.isOffline = false
        for (const page of device.pages) {
          page.line.nudge()
          if (isTold) page.gate.after(0, () => page.life?.onOnline(true))
        }
      })
      return { text: `${at}: offline${isTold ? ', and told so' : ''}` }
    }
    case 'restore server': {
      const { simServer } = world
      if (simServer === undefined || simServer.held.length === 0) return undefined
      const kept = dice.below(simServer.held.length)
      void scheduler.hold(simServer.restore(kept)).then(() => {
        const held = simServer.held.flatMap(({ entries }) => entries.flatMap(({ p = '' }) => valuesIn(p)))
        witness.restored(new Set(held), (number) => world.devices[number - 1]!.disk)
      })
      return { text: `the server goes back to its first ${kept} pushes` }
    }
    case 'mute':
      if (device.isMute) return undefined
      device.isMute = true
      scheduler.after(dice.between(10, 20_000), () => (device.isMute = false))
      return { text: `${at}: its tabs do not hear each other for a while` }
    case 'jump': {
      const ms = Math.round(dice.pick([-1, 1]) * 10 ** dice.between(1, 8.5))
      device.offsetMs += ms
      return { text: `${at}: its clock jumps by ${ms} ms` }
    }
    case 'crash': {
      if (device.pages.length === 0) return undefined
      device.hasDied = true
      world.crash(device, (pending) => dice.below(pending + 1))
      return { text: `${at}: its browser is killed` }
    }
    case 'power cut': {
      const { disk } = device
      device.hasDied = true
      world.crash(device, () => 0)
      const lost = dice.below(disk.undurable + 1)
      disk.powerCut(lost)
      witness.powerCut(device.number, disk)
      return { text: `${at}: the power is cut, and ${lost} relaxed commits with it` }
    }
    case 'deploy':
      if (world.newerFlow === undefined || world.flow === world.newerFlow) return undefined
      world.flow = world.newerFlow
      return { text: 'a newer version of the flow is deployed', group: 'moves' }
    default:
      return undefined
  }
}

function onPage(world: World, device: Device, kind: OperationKind, dice: Dice): Done | undefined {
  const isFaultless = groupOf(kind) === 'writes' || groupOf(kind) === 'moves'
  const page = device.pages.length > 0 ? dice.pick(device.pages) : undefined
  if (page === undefined) return isFaultless ? opens(world, device, dice) : undefined
  const at = `page ${page.number} of device ${device.number}`
  const { waymark, line, gate } = page
  switch (kind) {
    case 'open page':
      return device.pages.length < world.plan.pages ? opens(world, device, dice) : undefined
    case 'kill': {
      device.hasDied = true
      world.kill(page, dice.below(page.connection.pending + 1))
      return { text: `${at}: killed` }
    }
    case 'freeze': {
      if (gate.isFrozen) return undefined
      gate.freeze()
      const forMs = dice.between(100, 60_000)
      world.scheduler.after(forMs, () => gate.thaw())
      return { text: `${at}: frozen for ${Math.round(forMs)} ms` }
    }
  }
  // A frozen page hears nobody.
  if (gate.isFrozen) return undefined
  switch (kind) {
    case 'close page':
      page.track(
        'close',
        () => waymark.close(),
        () => world.kill(page, page.connection.pending),
      )
      return { text: `${at}: closed` }
    case 'leave':
      page.life?.onLeaving()
      return { text: `${at}: hidden` }
    case 'return':
      line.nudge()
      page.life?.onReturned()
      return { text: `${at}: looked at again` }
    case 'sync':
      if (world.server === undefined) return undefined
      line.nudge()
      page.track('sync now', () => waymark.sync.now())
      return { text: `${at}: syncs now` }
    case 'stop sync':
      if (world.server === undefined) return undefined
      waymark.sync.stop()
      world.scheduler.after(dice.between(10, 30_000), () => {
        line.nudge()
        if (!gate.isDead) waymark.sync.start()
      })
      return { text: `${at}: stops syncing for a while` }
    case 'sign in':
      if (waymark.sync.status?.state !== 'signedOut') return undefined
      line.nudge()
      waymark.sync.signedIn()
      return { text: `${at}: signs in again` }
    case 'account': {
      const account = dice.pick(world.plan.accounts.filter((other) => other !== waymark.account))
      if (account === undefined) return undefined
      line.nudge()
      page.track(
        `sign in as "${account}"`,
        () => waymark.setAccount(account),
        () => {
          line.nudge()
          page.forgetAll()
        },
      )
      return { text: `${at}: signs in as "${account}"` }
    }
    case 'claim': {
      if (waymark.account === '') return undefined
      world.witness.claims(device.number, waymark.account)
      page.track('claim', () => waymark.claim())
      return { text: `${at}: "${waymark.account}" claims what was typed before signing in` }
    }
    default:
      return onSession(world, page, kind, dice)
  }
}

function opens(world: World, device: Device, dice: Dice): Done {
  const account = dice.pick(world.plan.accounts)
  const page = world.openPage(device, account, dice.below(2 ** 31))
  page.open(keyOf(world, account))
  return { text: `page ${page.number} of device ${device.number}: opened by "${account}"`, group: 'moves' }
}

/** The key of the session an account is at; finished, it goes on with the next. */
function keyOf(world: World, account: string): string {
  return `run ${world.runByAccount.get(account) ?? 0}`
}

function onSession(world: World, page: Page, kind: OperationKind, dice: Dice): Done | undefined {
  const at = `page ${page.number} of device ${page.device}`
  const open = page.sessions.length > 1 && dice.is(0.2) ? dice.pick(page.sessions) : page.sessions.at(-1)
  const key = keyOf(world, page.waymark.account)
  if (open === undefined || kind === 'open') {
    if (page.waiting.size > 0 || page.sessions.some(({ session }) => session.key === key)) return undefined
    page.open(key)
    return { text: `${at}: opens "${key}"`, group: 'moves' }
  }
  const { session } = open
  const { status, step } = session.getSnapshot()
  if (isEnded(status) && kind !== 'reopen' && kind !== 'close') {
    if (open.account === page.waymark.account && session.key === key) {
      world.runByAccount.set(open.account, (world.runByAccount.get(open.account) ?? 0) + 1)
    }
    const next = keyOf(world, page.waymark.account)
    if (page.waiting.size > 0 || page.sessions.some((one) => one.session.key === next)) return undefined
    page.open(next)
    return { text: `${at}: goes on with "${next}"`, group: 'moves' }
  }
  const moves = (words: string, move: () => Promise<unknown>): Done | undefined => {
    let made: Promise<unknown> | undefined
    if (!open.act(() => (made = move()))) return undefined
    page.track(words, () => made!)
    return { text: `${at}: ${words}` }
  }
  switch (kind) {
    case 'type':
    case 'type all':
    case 'type long':
    case 'add':
    case 'change':
    case 'drop item': {
      const text = edits(world, page.flow, open, kind, dice)
      return text === undefined ? undefined : { text: `${at}: ${text}` }
    }
    case 'take back': {
      const conflict = session.conflicts[0]
      if (conflict === undefined) return undefined
      const isTakenBack = dice.is(0.5)
      open.act(() => session.resolve(conflict.id, isTakenBack ? 'restore' : 'keep'))
      return { text: `${at}: ${isTakenBack ? 'takes back' : 'lets go'} what lost a conflict` }
    }
    case 'commit':
      session.commit()
      return { text: `${at}: leaves the field` }
    case 'next':
      return moves(`next from "${step}"`, () => session.next())
    case 'back':
      return moves(`back from "${step}"`, () => session.back())
    case 'go to': {
      const to = dice.pick([...page.flow.leaves.keys()])
      return moves(`go to "${to}"`, () => session.goTo(to))
    }
    case 'skip':
      return moves(`skip "${step}"`, () => session.skip())
    case 'pause':
      return moves('pause', () => session.pause())
    case 'continue':
      return status === 'paused' ? moves('continue', () => session.continue()) : undefined
    case 'restart':
      return moves('restart', () => session.restart())
    case 'abandon':
      return moves('abandon', () => session.abandon())
    case 'reopen': {
      if (status !== 'done' || session.parked === undefined) return undefined
      world.witness.sessionOf(session.id).isReopened = true
      return moves('reopen', () => session.reopen())
    }
    case 'wait': {
      const level = dice.pick(['device', 'strict', 'server'] as const)
      if (level === 'server') page.line.nudge()
      const { signal, abort } = aborter()
      page.track(`wait for "${level}"`, () => session.saved(level, { signal }))
      page.gate.after(120_000, abort)
      return { text: `${at}: waits for "${level}"` }
    }
    case 'close':
      page.track(
        'close the session',
        () => session.close(),
        () => page.forget(open),
      )
      return { text: `${at}: closes the session` }
    default:
      return undefined
  }
}

function edits(
  world: World,
  flow: Flow,
  open: OpenSession,
  kind: 'type' | 'type all' | 'type long' | 'add' | 'change' | 'drop item',
  dice: Dice,
): string | undefined {
  const { session } = open
  const { answers, step } = session.getSnapshot()
  const isList = (leaf: Leaf) => leaf.each !== undefined
  const leaves = [...flow.leaves.values()]
  const wantsList = kind === 'add' || kind === 'change' || kind === 'drop item'
  const fitting = leaves.filter((leaf) => isList(leaf) === wantsList)
  const here = leafOf(flow, step)
  const leaf = isList(here) === wantsList && dice.is(0.7) ? here : dice.pick(fitting)
  if (leaf === undefined) return undefined
  const typist = createTypist(dice, world.witness.issue)
  const typed = world.typing[leaf.id]?.(typist) ?? { answer: typist.text() }
  const set = session.set as (step: string, fields: object) => void
  if (!wantsList) {
    const names = Object.keys(typed)
    const chosen = kind === 'type' ? [dice.pick(names)] : names
    const fields = Object.fromEntries(
      chosen.map((name) => [
        name,
        kind === 'type long' ? long(typed, name) : typed[name as keyof typeof typed],
      ]),
    )
    const isKept = open.act(() => set(leaf.id, fields))
    return isKept ? `types ${JSON.stringify(fields).slice(0, 120)} into "${leaf.id}"` : undefined
  }
  if (kind === 'add') {
    const add = session.add as (step: string, item: object) => string
    return open.act(() => add(leaf.id, typed)) ? `adds ${JSON.stringify(typed)} to "${leaf.id}"` : undefined
  }
  const items = (answers as Record<string, readonly KeyedItem[] | undefined>)[leaf.id] ?? []
  const item = dice.pick(items)
  if (item === undefined) return undefined
  if (kind === 'drop item') {
    return open.act(() => session.drop(leaf.id, item.key)) ? `drops ${JSON.stringify(item)}` : undefined
  }
  const change = session.change as (step: string, key: string, fields: object) => void
  return open.act(() => change(leaf.id, item.key, typed))
    ? `changes ${JSON.stringify(item)} to ${JSON.stringify(typed)}`
    : undefined
}

/** A text that needs rows of its own. It says its value at both ends: one of them is whole wherever it is cut. */
function long(typed: object, name: string): unknown {
  const value = typed[name as keyof typeof typed] as unknown
  return typeof value === 'string' ? `${value}${'-'.repeat(29_000)}${value}` : value
}

function aborter(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
