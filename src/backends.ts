export { type HttpBackendOptions, type HttpHeaders, httpBackend } from './backends/http-backend.ts'
export { type MemoryBackend, type MemoryBackendOptions, memoryBackend } from './backends/memory-backend.ts'
export type { Backend, ExchangeOptions, ExchangeOutcome } from './protocol/backend.ts'
export type {
  FieldIssue,
  PullItem,
  PushEntry,
  PushItem,
  SyncItem,
  SyncOutcome,
  SyncRequest,
  SyncResponse,
  WireMeta,
  WireSnapshot,
  WireSteps,
} from './protocol/wire.ts'
