export type { PushNeeds, PushWrite, SessionKey } from './protocol/held.ts'
export type { CorsOptions } from './server/cors.ts'
export {
  type DeliverOptions,
  deliverSubmissions,
  type OnServerError,
  type OnSubmit,
  type SubmittedSession,
} from './server/deliver-submissions.ts'
export { defaultLimits, type SyncLimits } from './server/limits.ts'
export { memoryServerStore } from './server/memory-store.ts'
export { type PostgresStore, postgresStore } from './server/postgres-store.ts'
export { fromPglite, fromPool, type PgliteLike, type PoolLike, type Sql } from './server/sql.ts'
export type {
  ListPage,
  ServerStore,
  SessionSummary,
  SessionWrite,
  Submission,
} from './server/store.ts'
export { createSyncHandler, type SyncHandlerOptions } from './server/sync-handler.ts'
