import type { Change, Shape } from './shape.ts'

/** One way to keep a session, as its documentation recommends. */
export interface Subject {
  readonly name: string
  /**
   * What its acknowledgement means: `durable` where a killed page finds the answer; `memory` where it is told before
   * anything is stored; `sync` where the call returns when the browser has taken it, which a killed browser may lose.
   */
  readonly acknowledges: 'durable' | 'sync' | 'memory'
  /** Opens a session of that shape, stored and settled. */
  open(name: string, shape: Shape): Promise<Opened>
}

export interface Opened {
  /** Makes the change and resolves at the subject's own acknowledgement. */
  change(change: Change): Promise<void> | void
  /** The session as a new page would read it. */
  restore(): Promise<unknown>
  close(): Promise<void> | void
}
