import type { Answers, Change, Shape } from './shape.ts'

/** One way to keep sessions, as its documentation recommends. */
export interface Subject {
  readonly name: string
  /**
   * What its acknowledgement means: `durable` where a killed page finds the answer; `memory` where it is told before
   * anything is stored; `sync` where the call returns when the browser has taken it, which a killed browser may lose.
   */
  readonly acknowledges: 'durable' | 'sync' | 'memory'
  /** As a page does once when it loads. */
  connect(database: string): Promise<Connection>
}

export interface Connection {
  /** A session of that shape, stored and settled; without a shape the one that is stored under the key. */
  open(key: string, shape?: Shape): Promise<Opened>
  close(): Promise<void> | void
}

export interface Opened {
  /** Makes the change and resolves at the subject's own acknowledgement. */
  change(change: Change): Promise<unknown> | unknown
  /** A key typed, where that is something else than a change; resolves at nothing in particular. */
  type?(change: Change): void
  /** The answers as a page reads them that loads now: from storage, nothing remembered. */
  restore(): Promise<Answers>
  close(): Promise<void> | void
}
