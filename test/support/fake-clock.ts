export { createFakeClock, type FakeClock } from '../../src/testing/fake-clock.ts'
export { settle } from '../../src/testing/settle.ts'
