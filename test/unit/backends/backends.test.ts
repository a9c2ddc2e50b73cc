import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll } from 'vitest'
import { httpBackend } from '../../../src/backends/http-backend.ts'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { memoryServerStore } from '../../../src/server/memory-store.ts'
import { type PostgresStore, postgresStore } from '../../../src/server/postgres-store.ts'
import { fromPglite } from '../../../src/server/sql.ts'
import type { ServerStore } from '../../../src/server/store.ts'
import { createSyncHandler } from '../../../src/server/sync-handler.ts'
import { backendCases } from './backend-cases.ts'

let db: PGlite
let sqlStore: PostgresStore

// A PostgreSQL compiled to WebAssembly takes seconds to start on a busy machine.
beforeAll(async () => {
  db = await PGlite.create()
  sqlStore = postgresStore(fromPglite(db))
  await sqlStore.migrate()
}, 60_000)
afterAll(() => db.close())

function overHttp(store: ServerStore): Backend {
  const handler = createSyncHandler({
    store,
    authorize: (request) => ({ account: request.headers.get('x-account')! }),
  })
  return httpBackend({
    url: 'https://app.test/waymark/',
    headers: async ({ account }) => ({ 'x-account': account }),
    fetch: (request) => handler(request),
  })
}

backendCases('memoryBackend', async () => memoryBackend())
backendCases('httpBackend over memory', async () => overHttp(memoryServerStore()))
backendCases('httpBackend over PGlite', async () => overHttp(sqlStore))
