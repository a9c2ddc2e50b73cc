/**
 * Typing of other writers that is no entry yet: shown with the state while its writer may still be there, adopted as an
 * entry of this page once that writer has been silent for long.
 *
 * Invariants
 * - What is adopted is what was found after reading the journal again: a draft its writer changed or finished meanwhile
 *   is not.
 * - A draft that says it is old is silent, and so is one that was seen unchanged for long: one stamped ahead of this
 *   clock, as by what its writer heard from another device, is neither taken from its writer nor kept waiting for ever.
 */
import { type Clock, msFromStamp } from '../base/clock.ts'
import { withoutLater } from './draft-losers.ts'
import type { Draft } from './rows.ts'
import { latestStamp, type StampedChange } from './stamps.ts'

export interface ForeignDrafts {
  readonly isEmpty: boolean
  /** The next one to adopt. */
  readonly due: Draft | undefined
  changes(): StampedChange[]
  /** Takes what the store shows now; true where that is something else than before. */
  replace(drafts: readonly Draft[]): boolean
  /** What these entries changed later is no longer what the person wants there. */
  outdate(entries: readonly StampedChange[]): void
  /** The one that was due is an entry now. */
  adopted(): void
  /** Begins to watch for silence; called again whenever drafts or entries came. */
  watch(): void
  close(): void
}

const adoptAfterMs = 15_000
const soonestMs = 1_000

export function createForeignDrafts(of: {
  readonly drafts: readonly Draft[]
  readonly clock: Clock
  /** False where nothing may be appended. */
  readonly mayAdopt: () => boolean
  /** Reads the journal again. */
  readonly catchUp: () => Promise<void>
  /** Appends what is due. */
  readonly adopt: () => Promise<void>
}): ForeignDrafts {
  const { clock, mayAdopt, catchUp, adopt } = of
  let { drafts } = of
  let due: readonly Draft[] = []
  /** When each was first seen as it is, by this clock. */
  let seenAt = new Map<string, number>()
  let cancel = () => {}
  note()

  function note(): void {
    const now = clock.now()
    seenAt = new Map(drafts.map((draft) => [nameOf(draft), seenAt.get(nameOf(draft)) ?? now]))
  }

  function silentForMs(draft: Draft): number {
    const now = clock.now()
    const unchangedForMs = Math.abs(now - (seenAt.get(nameOf(draft)) ?? now))
    return Math.max(now - msFromStamp(draft.at), unchangedForMs)
  }

  function watch(): void {
    cancel()
    if (drafts.length === 0 || !mayAdopt()) return
    const waitMs = Math.max(soonestMs, adoptAfterMs - Math.max(...drafts.map(silentForMs)))
    cancel = clock.after(waitMs, async () => {
      await catchUp()
      due = drafts.filter((draft) => silentForMs(draft) >= adoptAfterMs)
      await adopt()
      watch()
    })
  }

  return {
    get isEmpty() {
      return drafts.length === 0
    },
    get due() {
      return due[0]
    },
    changes: () =>
      drafts.flatMap(({ changes, at, writer }) => changes.map((change) => ({ change, at, writer }))),
    replace(now) {
      const before = drafts
      drafts = now
      note()
      due = now.filter((draft) => due.some((other) => isSame(other, draft)))
      return before.length !== now.length || before.some((draft, i) => !isSame(draft, now[i]!))
    },
    outdate(entries) {
      const outdated = (draft: Draft) => withoutLater(draft, latestStamp(entries))
      drafts = drafts.map(outdated)
      due = due.map(outdated)
    },
    adopted() {
      const [adopted, ...rest] = due
      drafts = drafts.filter((draft) => draft.writer !== adopted?.writer)
      due = rest
    },
    watch,
    close: () => cancel(),
  }
}

function isSame(a: Draft, b: Draft): boolean {
  return nameOf(a) === nameOf(b)
}

function nameOf({ writer, at }: Draft): string {
  return `${writer} ${at}`
}
