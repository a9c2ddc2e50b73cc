/**
 * Says status changes to those who do not see them: once per change, when it has settled, and at most once in ten
 * seconds while someone types. News of what a button did is said at once.
 */
import type { StatusWords } from './status-words.ts'

const settleMs = 1_000
const quietMs = 10_000
/** A wait this long is worth saying; a shorter one is over before it is said. */
const slowSaveMs = 3_000

export interface Announcer {
  /** The status as it is now. */
  status(words: StatusWords): void
  /** Something was typed. */
  typed(): void
  news(text: string): void
}

export function createAnnouncer(statusRegion: HTMLElement, newsRegion: HTMLElement): Announcer {
  let wanted: StatusWords | undefined
  let said: string | undefined
  let changedAt = 0
  let saidAt = Number.NEGATIVE_INFINITY
  let typedAt = Number.NEGATIVE_INFINITY
  let timer: ReturnType<typeof setTimeout> | undefined

  function waitMs(now: number): number {
    const isTyping = now - typedAt < quietMs
    const settle = changedAt + (wanted?.kind === 'saving' ? slowSaveMs : settleMs) - now
    return Math.max(settle, isTyping ? saidAt + quietMs - now : 0)
  }

  function speak(): void {
    timer = undefined
    if (wanted === undefined || wanted.spoken === said) return
    const now = Date.now()
    if (waitMs(now) > 0) {
      plan()
      return
    }
    said = wanted.spoken
    saidAt = now
    statusRegion.textContent = said
  }

  function plan(): void {
    if (timer === undefined) timer = setTimeout(speak, Math.max(0, waitMs(Date.now())))
  }

  return {
    status(words) {
      if (words.spoken === wanted?.spoken) return
      // What the page opened with is on the page: only changes are said.
      if (wanted === undefined) said = words.spoken
      wanted = words
      changedAt = Date.now()
      plan()
    },
    typed() {
      typedAt = Date.now()
    },
    news(text) {
      newsRegion.textContent = newsRegion.textContent === text ? `${text}\u00a0` : text
    },
  }
}
