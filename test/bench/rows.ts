import type { Result } from './page/result.ts'
import { subjects } from './subject-notes.ts'

/** One line of the report: one subject at one job in one engine. */
export interface Row {
  readonly work: string
  readonly engine: string
  readonly subject: string
  readonly size: string
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** p50 against the p50 of the floor in the same loop. */
  readonly ratioToFloor: number | null
  readonly floorP99Ms: number | null
  readonly counts?: { readonly [what: string]: number }
  /** What the subject's acknowledgement means, where it is not that a killed page finds the answer. */
  readonly note?: string
}

export function toRow(engine: string, result: Result): Row {
  const { work, subject, size, timing, floorP50Ms, floorP99Ms, counts } = result
  const note = subjects[subject]
  return {
    ...{ work, engine, subject, size },
    p50Ms: timing?.p50Ms ?? null,
    p99Ms: timing?.p99Ms ?? null,
    ratioToFloor: timing === undefined || !floorP50Ms ? null : timing.p50Ms / floorP50Ms,
    floorP99Ms: floorP99Ms ?? null,
    ...(counts === undefined ? {} : { counts }),
    ...(note === undefined ? {} : { note }),
  }
}
