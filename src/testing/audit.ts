import { canonicalJson } from '../base/canonical.ts'
import type { Json } from '../base/json.ts'
import { readLedger } from '../journal/ledger.ts'
import { restoreSession } from '../journal/restore.ts'
import type { DraftRow, QuarantineRow } from '../journal/rows.ts'
import { type Head, readHead } from '../record/head.ts'
import { initialState, isEnded, type Loser, type SessionState } from '../record/state.ts'
import type { Store } from '../store/store.ts'
import { createBaseRows } from '../sync/base-row.ts'
import { inspect } from './disk-connection.ts'
import { isDoneOnce, type OpenSession, type Page } from './page.ts'
import { valuesOf } from './values.ts'
import type { Device, World } from './world.ts'

/** Rounds of half a minute that everything gets to come to rest. */
const mostRounds = 40
const roundMs = 30_000
/** Entries written meanwhile: more of them will never come to rest. */
const mostEntries = 500

/**
 * Ends all trouble, lets every tab and device come to rest, and compares what is there with what people were told. On
 * each device a new page opens everything as well: what it shows is what is on the disk.
 */
export async function audit(world: World): Promise<void> {
  heal(world)
  // What hangs on a disk comes to its end first.
  await world.scheduler.advance(60_000)
  for (const device of world.devices) await openEverything(world, device)
  const unsettled = await comeToRest(world)
  if (unsettled.length > 0) {
    for (const words of unsettled) world.witness.violate('unsettled', words)
    return
  }
  await judge(world)
}

function heal(world: World): void {
  for (const device of world.devices) {
    device.storageFaults.length = 0
    device.networkFaults.length = 0
    Object.assign(device, { fullUntil: 0, isOffline: false, isMute: false })
    for (const page of device.pages) page.gate.thaw()
  }
}

/** A page for each account of a device, with every session that is listed there. */
async function openEverything(world: World, device: Device): Promise<void> {
  const store = inspect(device.disk)
  const heads = await headsOf(store)
  for (const [i, account] of [...new Set(heads.map((head) => head.account))].entries()) {
    const page = world.openPage(device, account, -1 - device.number * 10 - i)
    for (const head of heads) if (head.account === account) page.resume(head.id)
  }
}

async function headsOf(store: Store): Promise<Head[]> {
  const [rows = []] = await store.read([{ store: 'heads', prefix: [] }])
  return rows.flatMap((row) => readHead(row) ?? [])
}

/** What is not at rest in the end, in words. */
async function comeToRest(world: World): Promise<string[]> {
  let unsettled: string[] = ['nothing was looked at']
  const entries = () => world.devices.reduce((sum, { disk }) => sum + disk.entries, 0)
  const enough = entries() + mostEntries
  for (let round = 0; round < mostRounds && entries() < enough; round++) {
    const before = footprint(world)
    for (const page of pagesOf(world)) {
      page.line.nudge()
      page.life?.onReturned()
      page.waymark.sync.start()
      page.waymark.sync.signedIn()
      if (round > 0) page.track('sync now', () => page.waymark.sync.now())
    }
    await world.scheduler.advance(roundMs)
    unsettled = pagesOf(world).flatMap((page) => restlessness(world, page))
    if (footprint(world) !== before) unsettled.push('something is written all the time')
    if (unsettled.length === 0 && round > 1) return []
  }
  return unsettled
}

function footprint(world: World): string {
  return JSON.stringify([world.devices.map(({ disk }) => disk.entries), world.simServer?.held.length])
}

function restlessness(world: World, page: Page): string[] {
  const at = `page ${page.number} of device ${page.device}`
  const hanging = [...page.waiting].map((words) => `${at} still waits: ${words}`)
  const unsafe = page.sessions.flatMap(({ session, account }) => {
    const { saved, parked } = session.status.getSnapshot()
    // Where nothing of a session could be read there is nothing to send.
    const isNothing = session.getSnapshot().status === 'pending'
    const isSent = world.server === undefined || account === '' || saved.server === 'yes' || isNothing
    if (saved.device !== 'no' && saved.atRisk === undefined && isSent && parked === undefined) return []
    return `${at} says of session ${session.id.slice(0, 6)}: ${JSON.stringify({ saved, parked })}, sync ${JSON.stringify(page.waymark.sync.status)}`
  })
  return [...hanging, ...unsafe]
}

async function judge(world: World): Promise<void> {
  const { witness, log } = world
  const kept = new Set(log.values)
  const losers = new Set(log.losers.flatMap(({ value }) => valuesOf(value)))
  for (const device of world.devices) {
    const store = inspect(device.disk)
    for (const head of await headsOf(store)) {
      const found = await readDisk(world, device, store, head)
      for (const value of found.values) kept.add(value)
      for (const loser of found.losers) for (const value of valuesOf(loser.value)) losers.add(value)
    }
  }
  for (const broken of log.brokenChains(world.devices.some(({ isDamaged }) => isDamaged))) {
    witness.violate('chain', `at the server, ${broken}`)
  }
  const openBySession = compare(world)
  const shown = await shownValues(world, openBySession)
  witness.judge({
    isShown: ({ value, device }) =>
      shown.get(0)?.has(value) === true || shown.get(device)?.has(value) === true,
    isEnded: ({ session }) =>
      openBySession.get(session)?.some((one) => isEnded(one.session.getSnapshot().status)) === true,
    kept,
    losers,
  })
  for (const [id, all] of openBySession) {
    const { endedBy, isReopened } = witness.sessionOf(id)
    const isOver = all.some((one) => isEnded(one.session.getSnapshot().status))
    if (
      endedBy !== undefined &&
      !isReopened &&
      !isOver &&
      !world.devices.some(({ isDamaged }) => isDamaged)
    ) {
      witness.violate(
        'reverted',
        `${endedBy} showed session ${id.slice(0, 6)} as ended; in the end it is not`,
      )
    }
  }
}

/** The values in the answers by device, and under 0 those the server holds: a device that lost its list can ask for them. */
async function shownValues(
  world: World,
  openBySession: ReadonlyMap<string, readonly OpenSession[]>,
): Promise<Map<number, Set<number>>> {
  const shown = new Map<number, Set<number>>()
  const add = (device: number, data: unknown) => {
    const values = shown.get(device) ?? new Set()
    shown.set(device, values)
    for (const value of valuesOf(data)) values.add(value)
  }
  for (const one of [...openBySession.values()].flat()) {
    add(one.watch.device, one.session.getSnapshot().answers)
  }
  const { signal } = new AbortController()
  const sessions = new Set(
    world.witness.all.map(({ account, session }) => JSON.stringify([account, session])),
  )
  for (const [account, session] of [...sessions].map((name) => JSON.parse(name) as [string, string])) {
    const items = [{ type: 'pull', session, since: null } as const]
    for (const owner of account === '' ? world.plan.accounts : [account]) {
      const outcome = await world.server?.exchange(items, { account: owner, signal })
      const said = outcome?.type === 'answered' ? outcome.outcomes[0] : undefined
      if (said?.type === 'snapshot') add(0, Object.values(said.snapshot.steps).join())
    }
  }
  return shown
}

/** Everyone who has a session open shows the same; a page that read what was damaged since still has it. */
function compare(world: World): Map<string, OpenSession[]> {
  const openBySession = new Map<string, OpenSession[]>()
  const shownBySession = new Map<string, { text: string; where: string }>()
  for (const page of pagesOf(world)) {
    for (const one of page.sessions) {
      const { id } = one.session
      openBySession.set(id, [...(openBySession.get(id) ?? []), one])
      const { answers, status, finished } = one.session.getSnapshot()
      const where = `page ${page.number} of device ${page.device}`
      const text = canonicalJson({ answers, status, finished } as unknown as Json)
      checkLists(world, answers, where)
      // Sessions of someone not signed in stay on their device; two of them with one key, claimed by two, are alike in name.
      const isHere = world.server === undefined || one.account === ''
      const realm = `${id} ${isHere ? page.device : one.account}`
      const known = shownBySession.get(realm)
      if (known === undefined) shownBySession.set(realm, { text, where })
      else if (known.text !== text && !world.devices.some(({ isDamaged }) => isDamaged)) {
        world.witness.violate(
          'diverged',
          `session ${id.slice(0, 6)} is ${known.text} on ${known.where} and ${text} on ${where}`,
        )
      }
    }
  }
  return openBySession
}

/** No item of a list is there twice. */
function checkLists(world: World, answers: object, where: string): void {
  for (const [step, list] of Object.entries(answers)) {
    if (!Array.isArray(list)) continue
    const values = list.flatMap((item) => valuesOf(item))
    if (new Set(values).size < values.length) {
      world.witness.violate('doubled', `${where} shows an item of "${step}" twice: ${JSON.stringify(list)}`)
    }
  }
}

/** A session as it lies on a disk: whole, once, and the same as the pages say. */
async function readDisk(
  world: World,
  device: Device,
  store: Store,
  head: Head,
): Promise<{ values: readonly number[]; losers: readonly Loser[] }> {
  const { witness } = world
  const at = `session ${head.id.slice(0, 6)} on the disk of device ${device.number}`
  const initial = initialState(world.flow.ref, [...world.flow.leaves.keys()][0]!)
  const ledger = await readLedger({ store, session: head.id, initial, isCheckpoint: () => false })
  const values: number[] = []
  const losers: Loser[] = []
  const set = new Map<number, string>()
  const adopted = new Map<number, string>()
  for (const { id, changes = [] } of ledger.entries) {
    const isAdopted = changes.some((change) => change.type === 'adopted')
    // A value taken back is set again.
    const isTakenBack = changes.some((change) => change.type === 'resolved')
    for (const change of changes) {
      const found = valuesOf(change)
      values.push(...found)
      if (change.type === 'merged') losers.push(...change.losers)
      if (isTakenBack || change.type !== 'set' || change.patch.some(({ path }) => path === '')) continue
      const seen = isAdopted ? adopted : set
      for (const value of found) {
        const before = seen.get(value)
        if (before !== undefined && before !== id) {
          witness.violate('doubled', `${at}: w${value}w is in entry ${before} and in ${id}`)
        }
        seen.set(value, id)
      }
    }
  }
  await checkQuarantine(world, store, head, at)
  if (device.isDamaged) return { values, losers }
  if (ledger.entries.length === 0) witness.violate('listed', `${at} is listed, and nothing of it is there`)
  const told = ledger.entries.flatMap(({ changes = [] }) => changes.filter(isDoneOnce)).length
  const done = witness.sessionOf(head.id).doneOn.get(device.number) ?? 0
  if (told > done) witness.violate('retold', `${at} tells of ${told} moves and the like; ${done} were made`)
  if (!device.hasDied) await checkDrafts(world, store, head, ledger.entries, at)
  for (const { place, reason } of ledger.damage) witness.violate('chain', `${at}: ${place} ${reason}`)
  const restored = await restoreSession(store, head.id, initial)
  for (const { place, reason } of restored.damage) witness.violate('chain', `${at}: ${place} ${reason}`)
  compareWithDisk(world, device, head, restored.state, at)
  const [rows = []] = await store.read([{ store: 'sync', prefix: [head.id, 'row'] }])
  if (rows.length > 0 && (rows[0] as { account: string }).account === head.account) {
    const base = await createBaseRows(store, head.account).read(head.id)
    if (base.state === undefined) witness.violate('base', `${at}: the base of the next merge is not whole`)
  }
  return { values, losers }
}

/** What was set aside has its bytes: a place where nothing is has none. */
async function checkQuarantine(world: World, store: Store, head: Head, at: string): Promise<void> {
  const [rows = []] = await store.read([{ store: 'quarantine', prefix: [head.id] }])
  for (const { place, reason, row } of rows as QuarantineRow[]) {
    const isGap = reason.startsWith('missing') || reason.startsWith('chain link')
    if (!isGap && (row === null || row === undefined)) {
      world.witness.violate('quarantine', `${at}: ${place} (${reason}) was set aside without its bytes`)
    }
  }
}

/** Once all is at rest nothing is a draft and an entry. */
async function checkDrafts(
  world: World,
  store: Store,
  head: Head,
  entries: readonly { readonly id: string }[],
  at: string,
): Promise<void> {
  const [rows = []] = await store.read([{ store: 'drafts', prefix: [head.id] }])
  const ids = new Set(entries.map(({ id }) => id))
  for (const { w, n } of rows as DraftRow[]) {
    if (ids.has(`${w}:${n}`))
      world.witness.violate('leftover', `${at}: the draft of entry ${w}:${n} is still there`)
  }
}

function compareWithDisk(
  world: World,
  device: Device,
  head: Head,
  state: SessionState | undefined,
  at: string,
): void {
  for (const page of device.pages) {
    for (const { session } of page.sessions) {
      if (session.id !== head.id) continue
      const shown = canonicalJson(session.getSnapshot().answers as unknown as Json)
      const stored = canonicalJson((state?.answers ?? {}) as unknown as Json)
      if (shown !== stored) {
        world.witness.violate('diverged', `${at} is ${stored}, and ${shown} on page ${page.number}`)
      }
    }
  }
}

function pagesOf(world: World): Page[] {
  return world.devices.flatMap((device) => device.pages)
}
