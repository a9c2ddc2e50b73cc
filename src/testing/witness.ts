/**
 * What people were told, kept apart from the library, so that it can be held to it.
 *
 * Every value typed is unlike any other. A value is acknowledged once a page's status says so while nothing newer of
 * that session is unacknowledged there. An acknowledged value that is not in the answers in the end is missing, but for
 * these reasons, and no other:
 *
 * - **Overwritten knowingly.** A page that showed it did something after which it no longer did: typed over it, dropped
 *   the item, began again; or the page it was typed on typed into that field again. Only where that act took effect
 *   itself: one that died with its page excuses nothing.
 * - **Beneath a draft.** Another tab's draft lay over it, which the person saw and typed over: the draft is what lost.
 * - **A loser, kept.** It lost a conflict and is recorded as a loser in a journal or at the server, or the person was told.
 * - **After the end.** The session ended elsewhere; the value is in the history, without effect.
 * - **A power cut.** It was on the disk, not strictly, and the server had not acknowledged it.
 * - **Damage.** It lay in a row the simulation damaged.
 * - **Twice unlucky.** The server lost it in a restore, and the device in a power cut.
 *
 * What was not acknowledged may come and go. What nobody typed into that field of that session may never be there.
 */
import type { Loser } from '../record/state.ts'
import type { Saved } from '../session/session-status.ts'
import type { Disk } from './disk.ts'
import { placesIn, valuesIn, valuesOf, valueText } from './values.ts'

/** One value typed once. */
export interface Typed {
  readonly value: number
  readonly account: string
  readonly session: string
  readonly device: number
  readonly page: number
  readonly step: string
  /** The field within the step. */
  readonly place: string
  /** On its device, as far as the person was told. */
  safe: 'no' | 'yes' | 'strict'
  /** The person was told that the server has it. */
  isSent: boolean
  readonly removedBy: Act[]
  excuse: string | undefined
}

/** Something a person did that took values away from their sight. */
interface Act {
  readonly page: number
  readonly put: readonly number[]
}

/** What one page was told about one session, to be watched. */
export interface Watch {
  readonly account: string
  readonly session: string
  readonly device: number
  readonly page: number
  readonly disk: Disk
  readonly hasServer: boolean
  unsafe: number[]
  unhardened: number[]
  unsent: number[]
  hasEnded: boolean
}

export interface SessionRecord {
  /** Somebody took back its end. */
  isReopened: boolean
  /** Told to someone as ended and strictly stored. */
  endedBy: string | undefined
  /** How many moves, finishes and the like were made, by device. */
  readonly doneOn: Map<number, number>
}

export interface Witness {
  readonly violations: readonly string[]
  violate(rule: Rule, words: string): void
  /** A value no one has typed. */
  issue(): string
  typed(value: number): Typed | undefined
  readonly all: readonly Typed[]
  sessionOf(id: string): SessionRecord
  /** A person acted: what they saw before and after. */
  acted(watch: Watch, before: object, after: object): void
  /** A page said how safe everything so far is. */
  told(watch: Watch, saved: Saved): void
  toldLosers(losers: readonly Pick<Loser, 'value'>[]): void
  /** A page shows these answers. */
  shown(watch: Pick<Watch, 'account' | 'session' | 'device'>, answers: object, where: string): void
  /** The server took entries with these texts. */
  accepted(text: string, losers: readonly Loser[]): void
  /** A page of this account, on this device, sends this text. */
  sends(account: string, device: number, text: string): void
  claims(device: number, account: string): void
  damaged(values: readonly number[]): void
  powerCut(device: number, disk: Disk): void
  /** The server went back to a time when it held just these texts. */
  restored(held: ReadonlySet<number>, diskOf: (device: number) => Disk): void
  /** Ends the case: `final` are the values in the answers, `kept` those anywhere in a history, `lost` those kept as losers. */
  judge(of: {
    readonly isShown: (typed: Typed) => boolean
    readonly isEnded: (typed: Typed) => boolean
    readonly kept: ReadonlySet<number>
    readonly losers: ReadonlySet<number>
  }): void
}

/** What must hold, by the word a violation begins with. */
export type Rule =
  | 'backend'
  | 'missing'
  | 'doubled'
  | 'retold'
  | 'leftover'
  | 'listed'
  | 'quarantine'
  | 'invented'
  | 'mixed'
  | 'overstated'
  | 'progress'
  | 'reverted'
  | 'chain'
  | 'diverged'
  | 'unsettled'
  | 'impatient'
  | 'outdated'
  | 'base'
  | 'refused'
  | 'threw'
  | 'hung'

export function createWitness(): Witness {
  const violations: string[] = []
  const all: Typed[] = []
  let issued = 0
  const byValue = new Map<number, Typed>()
  /** What was typed into a field, on all pages; and what was typed last on each. */
  const allByField = new Map<string, Typed[]>()
  const lastByPageField = new Map<string, { act: Act; values: Typed[] }>()
  const sessions = new Map<string, SessionRecord>()
  /** What the server ever took. */
  const taken = new Set<number>()
  const toldOf = new Set<number>()
  const claims = new Set<string>()
  const seen = new WeakMap<object, readonly number[]>()

  function violate(rule: Rule, words: string): void {
    const violation = `${rule}: ${words}`
    if (!violations.includes(violation)) violations.push(violation)
  }

  /** The values in some answers; a step that was seen before is not read again. */
  function valuesByStep(answers: object): [string, readonly number[]][] {
    return Object.entries(answers as Record<string, object | undefined>).map(([step, fields]) => {
      if (fields === undefined) return [step, []]
      const found = seen.get(fields) ?? valuesOf(fields)
      seen.set(fields, found)
      return [step, found]
    })
  }

  function flat(answers: object): Set<number> {
    return new Set(valuesByStep(answers).flatMap(([, values]) => values))
  }

  function isOwn(typed: Typed, account: string, device: number): boolean {
    return (
      typed.account === account ||
      (typed.account === '' && claims.has(`${typed.device} ${account}`)) ||
      (typed.account === '' && claims.has(`${device} ${account}`))
    )
  }

  /** A tab shows what was claimed, and what was typed since, until it hears of that; it never sends it. */
  function isClaimed(typed: Typed, account: string, device: number): boolean {
    return account === '' && claims.has(`${device} ${typed.account}`)
  }

  const name = (typed: Typed) =>
    `${valueText(typed.value)}, typed on page ${typed.page} of device ${typed.device} into "${typed.step}" of session ${typed.session.slice(0, 6)}`

  return {
    violations,
    violate,
    all,
    issue: () => valueText(issued++),
    typed: (value) => byValue.get(value),
    sessionOf(id) {
      const record = sessions.get(id) ?? { isReopened: false, endedBy: undefined, doneOn: new Map() }
      sessions.set(id, record)
      return record
    },
    acted(watch, before, after) {
      const { account, session, device, page } = watch
      const shownBefore = flat(before)
      const fresh: number[] = []
      const put: number[] = []
      const act: Act = { page, put }
      for (const [step, fields] of Object.entries(after)) {
        if (fields === (before as Record<string, unknown>)[step]) continue
        for (const [value, place] of placesIn(fields)) {
          if (shownBefore.has(value)) continue
          put.push(value)
          const field = `${session} ${step} ${place}`
          if (!byValue.has(value)) {
            const typed: Typed = {
              ...{ value, account, session, device, page, step, place },
              ...{ safe: 'no', isSent: false, removedBy: [], excuse: undefined },
            }
            byValue.set(value, typed)
            all.push(typed)
            fresh.push(value)
            allByField.set(field, [...(allByField.get(field) ?? []), typed])
          }
          const typed = byValue.get(value)!
          const last = lastByPageField.get(`${page} ${field}`)
          if (last?.act === act) last.values.push(typed)
          else {
            for (const earlier of last?.values ?? []) earlier.removedBy.push(act)
            lastByPageField.set(`${page} ${field}`, { act, values: [typed] })
          }
        }
      }
      watch.unsafe.push(...fresh)
      watch.unhardened.push(...fresh)
      watch.unsent.push(...fresh)
      const shownAfter = flat(after)
      const remove = (typed: Typed) => {
        if (!typed.removedBy.includes(act)) typed.removedBy.push(act)
      }
      // Who begins again takes back what they typed, also what others' typing lay over.
      if (shownAfter.size === 0) {
        for (const typed of all) if (typed.page === page && typed.session === session) remove(typed)
      }
      for (const value of shownBefore) {
        const typed = shownAfter.has(value) ? undefined : byValue.get(value)
        if (typed === undefined) continue
        remove(typed)
        if (!watch.disk.isDraft(value)) continue
        for (const other of allByField.get(`${typed.session} ${typed.step} ${typed.place}`) ?? []) {
          if (!shownBefore.has(other.value) && watch.disk.holds(other.value) !== 'no') remove(other)
        }
      }
    },
    told(watch, { device, server }) {
      const isOver = (value: number) => {
        const { removedBy, excuse } = byValue.get(value)!
        return excuse !== undefined || removedBy.some((act) => act.page === watch.page)
      }
      if (device !== 'no') {
        for (const value of watch.unsafe.splice(0)) {
          const typed = byValue.get(value)!
          if (isOver(value)) continue
          if (typed.safe === 'no') typed.safe = 'yes'
          if (watch.disk.holds(value) === 'no')
            violate('overstated', `${name(typed)}, is on no disk and said to be`)
        }
      }
      if (device === 'strict') {
        for (const value of watch.unhardened.splice(0)) {
          const typed = byValue.get(value)!
          if (isOver(value)) continue
          typed.safe = 'strict'
          if (watch.disk.holds(value) !== 'strict')
            violate('overstated', `${name(typed)}, would not outlive a power cut and is said to`)
        }
      }
      if (server === 'yes') {
        for (const value of watch.unsent.splice(0)) {
          const typed = byValue.get(value)!
          if (isOver(value)) continue
          typed.isSent = true
          if (!taken.has(value))
            violate('overstated', `${name(typed)}, never reached the server and is said to`)
        }
      }
    },
    toldLosers(losers) {
      for (const { value } of losers) for (const lost of valuesOf(value)) toldOf.add(lost)
    },
    shown({ account, session, device }, answers, where) {
      for (const [step, values] of valuesByStep(answers)) {
        for (const value of values) {
          const typed = byValue.get(value)
          if (typed === undefined || typed.step !== step) {
            violate('invented', `${where} shows ${valueText(value)} in "${step}", where nobody typed it`)
          } else if (!isOwn(typed, account, device) && !isClaimed(typed, account, device)) {
            violate(
              'mixed',
              `${where}, account "${account}", shows ${name(typed)} by account "${typed.account}"`,
            )
          } else if (typed.session !== session) {
            violate('mixed', `${where} shows ${name(typed)} in session ${session.slice(0, 6)}`)
          }
        }
      }
    },
    accepted(text, losers) {
      for (const value of valuesIn(text)) taken.add(value)
      for (const { value } of losers) for (const lost of valuesOf(value)) toldOf.add(lost)
    },
    sends(account, device, text) {
      for (const value of valuesIn(text)) {
        const typed = byValue.get(value)
        if (typed !== undefined && !isOwn(typed, account, device))
          violate(
            'mixed',
            `device ${device} sends ${name(typed)} by account "${typed.account}" as "${account}"`,
          )
      }
    },
    claims: (device, account) => void claims.add(`${device} ${account}`),
    damaged(values) {
      for (const value of values) {
        const typed = byValue.get(value)
        if (typed !== undefined) typed.excuse ??= 'damage'
      }
    },
    powerCut(device, disk) {
      for (const typed of all) {
        if (typed.device !== device || typed.safe === 'strict' || typed.isSent) continue
        if (disk.holds(typed.value) === 'no') typed.excuse ??= 'power cut'
      }
    },
    restored(held, diskOf) {
      for (const typed of all) {
        if (!typed.isSent || held.has(typed.value)) continue
        typed.isSent = false
        if (diskOf(typed.device).holds(typed.value) === 'no') typed.excuse ??= 'twice unlucky'
      }
    },
    judge({ isShown, isEnded, kept, losers }) {
      const effects = new Map<Act, boolean>()
      const hasEffect = (act: Act): boolean => {
        const known = effects.get(act)
        if (known !== undefined) return known
        effects.set(act, false)
        const isThere = (value: number) => kept.has(value) || byValue.get(value)!.excuse === 'damage'
        const found =
          act.put.length === 0 || act.put.some((value) => isThere(value) || isGone(byValue.get(value)!))
        effects.set(act, found)
        return found
      }
      const isGone = (typed: Typed) => typed.removedBy.some(hasEffect)
      for (const typed of all) {
        const { value, safe, isSent, excuse } = typed
        if ((safe === 'no' && !isSent) || isShown(typed) || excuse !== undefined) continue
        if (losers.has(value) || toldOf.has(value) || isGone(typed)) continue
        if (isEnded(typed) && kept.has(value)) continue
        const said = isSent ? 'on the server' : safe === 'strict' ? 'strictly stored' : 'stored'
        violate('missing', `${name(typed)}, was said to be ${said}`)
      }
    },
  }
}
