import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { PushWrite } from '../../../src/protocol/held.ts'
import { memoryServerStore } from '../../../src/server/memory-store.ts'
import { isJsonbLegal } from '../../../src/server/postgres-schema.ts'
import { postgresStore } from '../../../src/server/postgres-store.ts'
import { fromPglite, fromPool, type PoolLike } from '../../../src/server/sql.ts'
import type { ServerStore, Submission } from '../../../src/server/store.ts'
import { flow, runningMeta } from '../../../src/testing/author.ts'

let db: PGlite
let accounts = 0

// A PostgreSQL compiled to WebAssembly takes seconds to start on a busy machine.
beforeAll(async () => {
  db = await PGlite.create()
}, 60_000)
afterAll(() => db.close())

const stores: Record<string, () => Promise<ServerStore>> = {
  memory: async () => memoryServerStore(),
  PGlite: async () => {
    const store = postgresStore(fromPglite(db))
    await store.migrate()
    return store
  },
}

const newKey = (session = 's1') => ({ account: `u-${accounts++}`, session })

/** A push of one entry, the `count`th in its session. */
function pushWrite(count: number, texts: Record<string, string | null>): PushWrite {
  const rev = `${count}-abc`
  return {
    rev,
    revs: Array.from({ length: count }, (_, i) => `${i + 1}-abc`),
    meta: runningMeta,
    heads: { wa: { n: count - 1, hash: `h${count - 1}` } },
    at: 1_790_000_000_000_000 + count,
    entries: [
      {
        writer: 'wa',
        n: count - 1,
        hash: `h${count - 1}`,
        c: `{"n":${count}}`,
        p: '["\\u0000\\ud800"]',
        s: 'x',
      },
    ],
    steps: Object.entries(texts).map(([step, text]) => ({ step, text, count, at: count, writer: 'wa' })),
  }
}

describe.each(Object.keys(stores))('ServerStore in %s', (name) => {
  const open = () => stores[name]!()

  test('gives back what was written, exactly', async () => {
    const store = await open()
    const key = newKey()
    const texts = {
      applicant: '{"emoji":"\\ud83d","line":"a\\\\u0000b","nul":"\\u0000","quote":"\\"\'$1"}',
      income: '{"amount":1e+21}',
      'ü n i': '[]',
      constructor: '{}',
    }
    const push = pushWrite(1, texts)
    expect(await store.write(key, { expected: null, push, savedAt: 5 })).toBe(true)
    const held = await store.read(key, null)
    expect(held).toMatchObject({
      revs: push.revs,
      meta: push.meta,
      heads: push.heads,
      at: push.at,
      isWhole: true,
    })
    expect(Object.fromEntries(held!.steps.map(({ step, text }) => [step, text]))).toEqual(texts)
    const entries = [
      { writer: 'wa', n: 0 },
      { writer: 'wa', n: 1 },
    ]
    const loaded = await store.load(key, { entries, steps: ['applicant', 'nowhere'] })
    expect([...loaded!.entries].map(([id, { hash, rev }]) => [id, hash, rev])).toEqual([
      ['wa:0', 'h0', '1-abc'],
    ])
    expect([...loaded!.stamps].map(([step, { at, writer }]) => [step, at, writer])).toEqual([
      ['applicant', 1, 'wa'],
    ])
  })

  test('writes nothing where the rev is another', async () => {
    const store = await open()
    const key = newKey()
    const write = (expected: string | null, count: number, text: string) =>
      store.write(key, { expected, push: pushWrite(count, { x: text }), savedAt: 0 })
    expect(await write('1-abc', 2, '{}')).toBe(false)
    expect(await store.read(key, null)).toBeUndefined()
    expect(await write(null, 1, '{"n":1}')).toBe(true)
    expect(await write(null, 1, '{"n":2}')).toBe(false)
    expect(await write('9-abc', 2, '{"n":3}')).toBe(false)
    expect((await store.read(key, null))!.steps[0]!.text).toBe('{"n":1}')
    const won = await Promise.all([write('1-abc', 2, '{"n":4}'), write('1-abc', 2, '{"n":5}')])
    expect(won.sort()).toEqual([false, true])
  })

  test('reads what changed since a rev it remembers, else everything', async () => {
    const store = await open()
    const key = newKey()
    await store.write(key, { expected: null, push: pushWrite(1, { x: '{}', y: '{}' }), savedAt: 0 })
    await store.write(key, { expected: '1-abc', push: pushWrite(2, { y: null }), savedAt: 0 })
    expect(await store.read(key, '1-abc')).toMatchObject({
      isWhole: false,
      steps: [{ step: 'y', text: null, count: 2 }],
    })
    for (const since of [null, '1-xyz', '99999999999999999999-a', 'NaN']) {
      expect(await store.read(key, since)).toMatchObject({ isWhole: true, steps: [{}, {}] })
    }
  })

  test('keeps accounts apart and lists by id in pages', async () => {
    const store = await open()
    const { account } = newKey()
    for (const session of ['b', 'a', 'Z', 'c']) {
      const push = pushWrite(1, {})
      await store.write({ account, session }, { expected: null, push, savedAt: 7 })
    }
    const first = await store.list(account, { limit: 3, after: '' })
    expect(first.map(({ session }) => session)).toEqual(['Z', 'a', 'b'])
    expect(first[0]).toEqual({ session: 'Z', rev: '1-abc', meta: runningMeta, savedAt: 7 })
    expect((await store.list(account, { limit: 3, after: 'b' })).map(({ session }) => session)).toEqual(['c'])
    expect(await store.list(newKey().account, { limit: 3, after: '' })).toEqual([])
    expect(await store.read({ ...newKey(), session: 'a' }, null)).toBeUndefined()
  })

  test('erases a session for good: nothing of it is left, and nothing brings it back', async () => {
    const store = await open()
    const [key, other] = [newKey(), newKey()]
    for (const one of [key, other]) {
      expect(await store.write(one, { expected: null, push: pushWrite(1, { a: '1' }), savedAt: 1 })).toBe(
        true,
      )
    }
    expect(await store.isErased(key)).toBe(false)
    await store.erase(key, 5)
    await store.erase(key, 6)
    expect(await store.isErased(key)).toBe(true)
    expect(await store.read(key, null)).toBeUndefined()
    expect(await store.list(key.account, { limit: 10, after: '' })).toEqual([])
    expect(await store.write(key, { expected: null, push: pushWrite(1, { a: '1' }), savedAt: 7 })).toBe(false)
    expect(await store.read(key, null)).toBeUndefined()
    expect(await store.isErased(other)).toBe(false)
    expect((await store.read(other, null))?.steps).toHaveLength(1)
  })

  test('keeps what was submitted until it is delivered, erased or not', async () => {
    const store = await open()
    const key = newKey()
    const submission: Submission = {
      ...{ flow, answers: '{"a":1}', validated: true, at: 1, isDelivered: false },
    }
    await store.write(key, { expected: null, push: pushWrite(1, { a: '1' }), savedAt: 1, submission })
    await store.erase(key, 5)
    expect(await store.submission(key)).toMatchObject({ answers: '{"a":1}' })
    await store.markDelivered(key, 6)
    expect(await store.submission(key)).toBeUndefined()
  })

  test('keeps a submission once until it is delivered', async () => {
    const store = await open()
    const key = newKey()
    const submission: Submission = {
      flow,
      answers: '{"x":{"nul":"\\u0000"}}',
      validated: true,
      at: 9,
      isDelivered: false,
    }
    await store.write(key, { expected: null, push: pushWrite(1, {}), savedAt: 0, submission })
    const second = { ...submission, answers: '{}' }
    await store.write(key, { expected: '1-abc', push: pushWrite(2, {}), savedAt: 0, submission: second })
    expect(await store.submission(key)).toEqual(submission)
    expect(await store.undelivered(100)).toContainEqual({ ...key, submission })
    await store.markDelivered(key, 10)
    expect(await store.submission(key)).toEqual({ ...submission, isDelivered: true })
    expect(await store.undelivered(100)).toEqual([])
    expect(await store.submission(newKey())).toBeUndefined()
  })
})

describe('postgresStore', () => {
  test('projects answers as JSONB where PostgreSQL takes them', async () => {
    const store = await stores['PGlite']!()
    const key = newKey()
    const texts = {
      legal: '{"city":"Ko\\\\u0000ln"}',
      nul: '{"a":"\\u0000"}',
      half: '{"a":"\\ud83d"}',
      gone: null,
    }
    await store.write(key, { expected: null, push: pushWrite(1, texts), savedAt: 0 })
    const { rows } = await db.query<{ step: string; city: string | null; isNull: boolean }>(
      `SELECT step, answers->>'city' AS city, answers IS NULL AS "isNull" FROM waymark_steps WHERE account = $1 ORDER BY step`,
      [key.account],
    )
    expect(rows).toEqual([
      { step: 'gone', city: null, isNull: true },
      { step: 'half', city: null, isNull: true },
      { step: 'legal', city: 'Ko\\u0000ln', isNull: false },
      { step: 'nul', city: null, isNull: true },
    ])
  })

  test('migrates as often as it is asked', async () => {
    const store = postgresStore(fromPglite(db))
    await Promise.all([store.migrate(), store.migrate()])
    await store.migrate()
  })

  test.each([
    ['57P01', true],
    ['53300', true],
    ['40001', true],
    ['ECONNRESET', true],
    [undefined, true],
    ['42P01', false],
    ['22P05', false],
  ])('throws storage-failed on code %s, retryable: %s', async (code, isRetryable) => {
    const fail = async () => {
      throw Object.assign(new Error('row (secret) is wrong'), { code })
    }
    const store = postgresStore({ query: fail, transaction: fail })
    const error = await store.submission(newKey()).catch((thrown: unknown) => thrown)
    expect(isWaymarkError(error, 'storage-failed')).toBe(true)
    expect(error).toMatchObject({ isRetryable, details: { code } })
    expect((error as Error).message).not.toContain('secret')
  })
})

describe('fromPool', () => {
  function createPool(failOn?: string) {
    const log: string[] = []
    const client = {
      async query(text: string) {
        log.push(text)
        if (text === failOn) throw new Error('cut')
        return { rows: [] as unknown[] }
      },
      release: (isBroken?: boolean) => void log.push(isBroken === true ? 'destroyed' : 'released'),
    }
    const pool: PoolLike = {
      async query({ name, text }) {
        log.push(`${name ?? ''} ${text}`)
        return { rows: [] }
      },
      connect: async () => client,
    }
    return { pool, log }
  }

  test('prepares statements under a name of their text, unless told not to', async () => {
    const { pool, log } = createPool()
    await fromPool(pool).query('SELECT 1')
    await fromPool(pool).query('SELECT 1')
    await fromPool(pool, { prepare: false }).query('SELECT 1')
    expect(log[0]).toMatch(/^waymark_[0-9a-f]{16} SELECT 1$/)
    expect(log.slice(1)).toEqual([log[0], ' SELECT 1'])
  })

  test('commits on one connection and gives it back', async () => {
    const { pool, log } = createPool()
    await fromPool(pool).transaction((tx) => tx.query('work'))
    expect(log).toEqual(['BEGIN', 'work', 'COMMIT', 'released'])
  })

  test('rolls back, and destroys a connection that cannot', async () => {
    const { pool, log } = createPool('work')
    await expect(fromPool(pool).transaction((tx) => tx.query('work'))).rejects.toThrow('cut')
    expect(log).toEqual(['BEGIN', 'work', 'ROLLBACK', 'released'])
    const broken = createPool('ROLLBACK')
    const fails = fromPool(broken.pool).transaction(() => Promise.reject(new Error('own')))
    await expect(fails).rejects.toThrow('own')
    expect(broken.log).toEqual(['BEGIN', 'ROLLBACK', 'destroyed'])
  })
})

describe('isJsonbLegal', () => {
  test.each([
    ['{"a":"plain"}', true],
    ['{"a":"\\\\u0000"}', true],
    ['{"a":"\\\\\\u0000"}', false],
    ['{"a":"\\u0000"}', false],
    ['{"a":"\\u001f"}', true],
    ['{"a":"\\udead"}', false],
    ['{"\\u0000":1}', false],
  ])('%s: %s', (text, isLegal) => {
    expect(isJsonbLegal(text)).toBe(isLegal)
  })
})
