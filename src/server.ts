export type {
  HeldEntry,
  HeldForPush,
  HeldSession,
  HeldStep,
  PushNeeds,
  PushWrite,
  SessionKey,
  Stamp,
} from './protocol/held.ts'
export type { HeldSnapshot } from './protocol/snapshot.ts'
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
export {
  fromPglite,
  fromPool,
  type PgliteLike,
  type PoolLike,
  type PoolOptions,
  type Sql,
} from './server/sql.ts'
export type {
  ListPage,
  ServerStore,
  SessionSummary,
  SessionWrite,
  Submission,
} from './server/store.ts'
export { createSyncHandler, type SyncHandlerOptions } from './server/sync-handler.ts'
