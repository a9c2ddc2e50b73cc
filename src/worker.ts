export { type HostOptions, hostStore } from './worker/host-store.ts'
export { inlineWorker } from './worker/inline-worker.ts'
export { openWorkerStore, type WorkerStoreOptions } from './worker/open-worker-store.ts'
