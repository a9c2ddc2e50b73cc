export type { Backend, ExchangeOptions, ExchangeOutcome } from './protocol/backend.ts'
export type { Key, Range, Row, Store, StoreName, Write, WriteOutcome } from './store/store.ts'
export { type BackendCase, backendCases } from './testing/backend-cases.ts'
export { createFakeClock, type FakeClock } from './testing/fake-clock.ts'
export { type BackendFault, type FaultyBackend, faultyBackend } from './testing/faulty-backend.ts'
export { type FaultyStore, faultyStore, type StoreFault } from './testing/faulty-store.ts'
export { settle } from './testing/settle.ts'
export {
  type SimulateOptions,
  type SimulationFailure,
  type SimulationReport,
  simulate,
} from './testing/simulate.ts'
export { type StoreCase, storeCases } from './testing/store-cases.ts'
export type { Typist } from './testing/typist.ts'
