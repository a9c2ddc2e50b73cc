import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { type PostgresStore, postgresStore } from '../../../src/server/postgres-store.ts'
import { fromPglite } from '../../../src/server/sql.ts'
import { backendCases } from '../../../src/testing/backend-cases.ts'
import { overHttp } from '../../support/over-http.ts'

let db: PGlite
let sqlStore: PostgresStore

// A PostgreSQL compiled to WebAssembly takes seconds to start on a busy machine.
beforeAll(async () => {
  db = await PGlite.create()
  sqlStore = postgresStore(fromPglite(db))
  await sqlStore.migrate()
}, 60_000)
afterAll(() => db.close())

describe('httpBackend over PGlite', () => {
  for (const { name, run } of backendCases) test(name, () => run(() => overHttp(sqlStore)))
})
