import type { Scheduler } from './scheduler.ts'

/** What stands between a page and the world: behind a closed gate nothing reaches the page any more. */
export interface Gate {
  readonly isDead: boolean
  readonly isFrozen: boolean
  /** Runs `event` in the page after `delayMs`: later while it is frozen, never once it is dead. */
  after(delayMs: number, event: () => void): () => void
  freeze(): void
  /** What came meanwhile arrives at once, in order. */
  thaw(): void
  kill(): void
}

export function createGate(scheduler: Scheduler, onThrown: (error: unknown) => void): Gate {
  let isDead = false
  let isFrozen = false
  let waiting: (() => void)[] = []

  function enter(event: () => void): void {
    if (isDead) return
    if (isFrozen) {
      waiting.push(event)
      return
    }
    try {
      event()
    } catch (error) {
      onThrown(error)
    }
  }

  return {
    get isDead() {
      return isDead
    },
    get isFrozen() {
      return isFrozen
    },
    after(delayMs, event) {
      let run: (() => void) | undefined = event
      const cancel = scheduler.after(delayMs, () => enter(() => run?.()))
      return () => {
        run = undefined
        cancel()
      }
    },
    freeze() {
      isFrozen = true
    },
    thaw() {
      isFrozen = false
      const held = waiting
      waiting = []
      for (const event of held) scheduler.after(0, () => enter(event))
    },
    kill() {
      isDead = true
      waiting = []
    },
  }
}
