import { PGlite } from '@electric-sql/pglite'
import { createWaymark } from 'waymark'
import { httpBackend } from 'waymark/backends'
import { createSyncHandler, fromPglite, postgresStore } from 'waymark/server'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import { type Result, toResults } from '../page/result.ts'
import { flow, nestedShape } from '../page/shape.ts'
import { timingOf } from '../page/timing.ts'

/**
 * A push to the reference server, from the request to its response, in the embedded PostgreSQL; against the two
 * statements no server can do without, one insert of the same entries and one guarded update of the same answers, in
 * the same database.
 */
export async function measureServer(isQuick: boolean): Promise<Result[]> {
  const db = await PGlite.create()
  await db.exec(`
    CREATE TABLE bare_sessions (id text PRIMARY KEY, rev bigint NOT NULL, value text NOT NULL);
    CREATE TABLE bare_entries (session text, n bigint, value text NOT NULL, PRIMARY KEY (session, n));
    INSERT INTO bare_sessions VALUES ('bare', 0, '')`)
  const store = postgresStore(fromPglite(db))
  await store.migrate()
  const handle = createSyncHandler({ store, basePath: '/sync', authorize: async () => ({ account: 'a' }) })
  const samples = { Waymark: [] as number[], bare: [] as number[] }
  let n = 0

  const bare = async (entries: string, changed: string) => {
    n += 1
    const start = performance.now()
    await db.query('INSERT INTO bare_entries VALUES ($1, $2, $3)', ['bare', n, entries])
    await db.query('UPDATE bare_sessions SET rev = rev + 1, value = $3 WHERE id = $1 AND rev = $2', [
      ...['bare', n - 1, changed],
    ])
    return performance.now() - start
  }
  const measured: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const [push] = JSON.parse(await request.clone().text()).items ?? []
    const start = performance.now()
    const response = await handle(request)
    const took = performance.now() - start
    if (push?.entries === undefined) return response
    samples.Waymark.push(took)
    samples.bare.push(await bare(JSON.stringify(push.entries), JSON.stringify(push.changed)))
    return response
  }

  const shape = nestedShape('10 KB', 1)
  const waymark = createWaymark({
    ...{ flows: [flow], account: 'a', store: createMemoryStore() },
    backend: httpBackend({ url: 'http://127.0.0.1/sync', fetch: measured }),
  })
  const session = await waymark.open('bench')
  for (const [step, rows] of Object.entries(shape.answers)) session.set(step, rows)
  const warmUp = 30
  for (let i = 0; i < (isQuick ? 60 : 500) + warmUp; i++) {
    const { step, row, field, value } = shape.change(i)
    session.set(step, { [row]: { ...session.getSnapshot().answers[step]![row], [field]: value } })
    session.commit()
    const { type } = await session.saved('server')
    if (type !== 'saved') throw new Error(`not sent: ${type}`)
  }
  await waymark.close()
  await db.close()
  const timings = new Map([
    ['insert and update', timingOf(samples.bare.slice(warmUp))],
    ['Waymark', timingOf(samples.Waymark.slice(warmUp))],
  ])
  const size = 'one change in 10 KB'
  return toResults(timings, { work: 'server push', size, floor: 'insert and update' }).map((result) => ({
    ...result,
    counts: { pushesPerSecond: Math.round(1_000 / result.timing!.p50Ms) },
  }))
}
