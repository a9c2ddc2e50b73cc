import type { Subject } from './subject.ts'
import type { Timing } from './timing.ts'

/** What a page reports of one arm: a time, or a count where there is nothing to time. */
export interface Result {
  readonly work: string
  readonly subject: string
  readonly size: string
  readonly timing?: Timing
  /** Of the floor in the same loop, where there is one. */
  readonly floorP50Ms?: number
  readonly floorP99Ms?: number
  readonly counts?: { readonly [what: string]: number }
}

export interface Options {
  readonly isQuick: boolean
  /** Waymark first. */
  readonly subjects: readonly Subject[]
}
