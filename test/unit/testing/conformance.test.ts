import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { backendCases } from '../../../src/testing/backend-cases.ts'
import { storeCases } from '../../../src/testing/store-cases.ts'

type Cases<T> = readonly { readonly name: string; run(open: () => Promise<T>): Promise<void> }[]

/** Names of the cases that say the contract is broken; anything else that is thrown is a fault of the case. */
async function brokenBy<T>(cases: Cases<T>, open: () => T): Promise<string[]> {
  const broken: string[] = []
  for (const { name, run } of cases) {
    try {
      await run(async () => open())
    } catch (error) {
      if (!isWaymarkError(error, 'contract-broken')) throw error
      broken.push(name)
    }
  }
  return broken
}

describe('storeCases', () => {
  test.each<[string, string, (store: Store) => Partial<Store>]>([
    [
      'compares nothing',
      'says taken and leaves everything of the write undone',
      (store) => ({
        write: ({ add, put = [], ...rest }) => store.write({ ...rest, put: add ? [...put, add] : put }),
      }),
    ],
    [
      'removes nothing',
      'reads back what was put, replaced and removed',
      (store) => ({ write: ({ remove: _, ...rest }) => store.write(rest) }),
    ],
    [
      'knows no limit',
      'gives at most as many as the limit, from either end',
      (store) => ({ read: (ranges) => store.read(ranges.map(({ limit: _, ...range }) => range)) }),
    ],
    [
      'goes on after it was closed',
      'closes more than once, after what was under way, and then refuses',
      () => ({ close: async () => {} }),
    ],
  ])('tell a store that %s', async (_, name, spoil) => {
    const broken = await brokenBy(storeCases, () => {
      const store = createMemoryStore()
      return { ...store, ...spoil(store) }
    })
    expect(broken).toContain(name)
  })
})

describe('backendCases', () => {
  test.each<[string, string, (backend: Backend) => Backend]>([
    [
      'has one account for all',
      'keeps accounts apart',
      (backend) => ({
        exchange: (items, options) => backend.exchange(items, { ...options, account: 'all' }),
      }),
    ],
    [
      'takes every push, whatever its base',
      'takes one of several pushes with the same base',
      (backend) => ({
        async exchange(items, options) {
          const said = await backend.exchange(items, options)
          if (said.type !== 'answered') return said
          const outcomes = said.outcomes.map((outcome) =>
            outcome.type === 'stale'
              ? { type: 'accepted' as const, session: outcome.session, rev: '9-x', validated: false }
              : outcome,
          )
          return { ...said, outcomes }
        },
      }),
    ],
    [
      'answers in another order',
      'rejects a forked writer, takes a gap, and goes on',
      (backend) => ({
        async exchange(items, options) {
          const said = await backend.exchange(items, options)
          return said.type === 'answered' ? { ...said, outcomes: [...said.outcomes].reverse() } : said
        },
      }),
    ],
    [
      'cannot be reached',
      'answers nothing to nothing',
      () => ({ exchange: async () => ({ type: 'unreachable', reason: 'offline' }) }),
    ],
  ])('tell a backend that %s', async (_, name, spoil) => {
    const broken = await brokenBy(backendCases, () => spoil(memoryBackend()))
    expect(broken).toContain(name)
  })
})
