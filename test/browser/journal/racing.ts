import { systemClock } from '../../../src/base/clock.ts'
import { openIdbStore } from '../../../src/store/idb-store.ts'
import { openTestJournal, set } from '../../support/journal-rig.ts'

export const racedSession = 's1'

export interface RaceOptions {
  readonly database: string
  /** Prefix of this writer's fields. */
  readonly name: string
  readonly step: string
  readonly count: number
  /** One entry per change, or whatever a batch holds. */
  readonly isOneByOne: boolean
}

export interface RaceReport {
  readonly writer: string
  readonly made: number
  readonly acknowledged: number
  readonly failure: string | undefined
  readonly damage: number
}

/** Appends `count` fields to the raced session through a connection and a journal of its own. */
export async function race(options: RaceOptions): Promise<RaceReport> {
  const { database, name, step, count, isOneByOne } = options
  const store = await openIdbStore({ name: database, clock: systemClock })
  const { journal, events, writer } = await openTestJournal({ store, session: racedSession })
  for (let i = 0; i < count; i++) {
    journal.append([set(step, { [`${name}${i}`]: `${name}-${i}` })], i % 10 === 0 ? 'strict' : 'relaxed')
    if (isOneByOne) await journal.settled()
    else if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve))
  }
  await journal.settled()
  const { made, acknowledged, failure } = journal.marks
  await journal.close()
  await store.close()
  const damage = events.filter((event) => event.type === 'damaged').length
  return { writer, made, acknowledged, failure: failure?.code, damage }
}
