import type { Subject } from './subject.ts'
import type { Timing } from './timing.ts'

/** What a page reports of one subject at one job: a time, or counts where there is nothing to time. */
export interface Result {
  readonly work: string
  readonly subject: string
  readonly size: string
  readonly timing?: Timing
  /** What it is held against, measured in the same loop. */
  readonly floor?: { readonly name: string; readonly timing: Timing }
  /** Of Waymark in the same loop. */
  readonly waymark?: Timing
  readonly counts?: { readonly [what: string]: number }
  readonly note?: string
}

export interface Options {
  readonly isQuick: boolean
  /** Waymark first. */
  readonly subjects: readonly Subject[]
}

/** One result for each arm of a loop; `floor` is the name of the one the others are held against. */
export function toResults(
  timings: ReadonlyMap<string, Timing>,
  of: { readonly work: string; readonly size: string; readonly floor: string },
): Result[] {
  const { work, size } = of
  const floor = { name: of.floor, timing: timings.get(of.floor)! }
  const waymark = timings.get('Waymark')
  return [...timings].map(([subject, timing]) => ({
    ...{ work, subject, size, timing, floor },
    ...(waymark === undefined ? {} : { waymark }),
  }))
}
