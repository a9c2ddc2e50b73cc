import type { Result } from '../page/result.ts'
import { noteOf } from './subject-notes.ts'
import { whyFaster } from './why-faster.ts'

/** One line of the report: one subject at one job in one engine. */
export interface Row {
  readonly work: string
  /** `node` where no browser is needed. */
  readonly engine: string
  readonly subject: string
  readonly size: string
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** Half of all samples lie between these two. */
  readonly spreadMs: readonly [number, number] | null
  readonly samples: number | null
  /** p50 against the p50 of the floor in the same loop. */
  readonly ratioToFloor: number | null
  readonly floor: string | null
  readonly floorP50Ms: number | null
  readonly floorP99Ms: number | null
  /** p50 against Waymark's in the same loop: below 1 it is faster than Waymark. */
  readonly ratioToWaymark: number | null
  readonly counts?: { readonly [what: string]: number }
  /** What the subject's acknowledgement means, or why there is no figure. */
  readonly note?: string
  /** That it is faster than Waymark here, and why. */
  readonly faster?: string
}

/** What a peer need not be better by to be called as fast: less is the machine. */
const asFast = 0.97

export function toRow(engine: string, result: Result): Row {
  const { work, subject, size, timing, floor, waymark, counts } = result
  const ratioToWaymark =
    timing === undefined || waymark === undefined || waymark.p50Ms === 0 ? null : timing.p50Ms / waymark.p50Ms
  const isFloor = subject === floor?.name
  const note = result.note ?? noteOf(subject, work)
  const faster =
    ratioToWaymark === null || ratioToWaymark >= asFast || isFloor || subject === 'Waymark'
      ? undefined
      : `${(1 / ratioToWaymark).toFixed(1)} × as fast as Waymark: ${whyFaster(result)}`
  return {
    ...{ work, engine, subject, size },
    p50Ms: timing?.p50Ms ?? null,
    p99Ms: timing?.p99Ms ?? null,
    spreadMs: timing === undefined ? null : [timing.p25Ms, timing.p75Ms],
    samples: timing?.count ?? null,
    ratioToFloor: timing === undefined || !floor?.timing.p50Ms ? null : timing.p50Ms / floor.timing.p50Ms,
    floor: floor?.name ?? null,
    floorP50Ms: floor?.timing.p50Ms ?? null,
    floorP99Ms: floor?.timing.p99Ms ?? null,
    ratioToWaymark,
    ...(counts === undefined ? {} : { counts }),
    ...(note === undefined ? {} : { note }),
    ...(faster === undefined ? {} : { faster }),
  }
}
