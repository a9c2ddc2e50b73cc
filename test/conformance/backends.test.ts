import { describe, test } from 'vitest'
import { memoryBackend } from '../../src/backends/memory-backend.ts'
import type { Backend } from '../../src/protocol/backend.ts'
import { memoryServerStore } from '../../src/server/memory-store.ts'
import { backendCases } from '../../src/testing/backend-cases.ts'
import { faultyBackend } from '../../src/testing/faulty-backend.ts'
import { overHttp } from '../support/over-http.ts'

describe.each<[string, () => Backend]>([
  ['memoryBackend', () => memoryBackend()],
  ['httpBackend over the sync handler', () => overHttp(memoryServerStore())],
  ['faultyBackend that was told nothing', () => faultyBackend()],
])('%s', (_, open) => {
  for (const { name, run } of backendCases) test(name, () => run(open))
})
