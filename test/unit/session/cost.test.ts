import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../src/base/json.ts'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store, Write } from '../../../src/store/store.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'

/** Ten steps, one of them being typed in, the other nine holding what makes the session large. */
const flow = defineFlow({
  id: 'large',
  title: 'Large',
  steps: Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => [
      `s${i}`,
      { title: `Step ${i}`, when: (answers: Record<string, unknown>) => i === 0 || answers['s0'] !== null },
    ]),
  ),
})

interface Cost {
  writes: number
  requests: number
  bytes: number
  reads: number
}

/** What a number of changes costs in a session whose other steps hold `bytes` of answers. */
async function costOf(bytes: number, change: 'type' | 'enter'): Promise<Cost> {
  const clock = createFakeClock()
  const writes: Write[] = []
  const memory = createMemoryStore()
  const store: Store = {
    ...memory,
    kind: 'indexeddb',
    write(write) {
      writes.push(write)
      return memory.write(write)
    },
  }
  const waymark = createWaymark({ flows: [flow], namespace: `cost-${bytes}-${change}`, store, clock })
  const session = await waymark.open('large')
  session.set('s0', { name: 'start' })
  for (let i = 1; i < 10; i++) session.set(`s${i}`, largeAnswers(bytes / 9))
  session.commit()
  await settle()
  await clock.advance(1_000)
  expect(JSON.stringify(session.getSnapshot().answers).length).toBeGreaterThan(bytes * 0.8)

  let reads = 0
  const { state } = session.actor.getSnapshot().context
  const counted = { ...state, answers: counting(structuredClone(state.answers) as JsonObject, () => reads++) }
  session.actor.send({ type: 'adopt', state: counted as typeof state })
  writes.length = 0
  reads = 0
  for (let i = 0; i < 15; i++) {
    session.set('s0', { name: `typed ${i}` })
    if (change === 'enter') session.commit()
    session.getSnapshot()
    await settle()
  }
  const cost = {
    writes: writes.length,
    requests: writes.reduce(
      (sum, write) => sum + (write.put?.length ?? 0) + (write.remove?.length ?? 0) + (write.add ? 1 : 0),
      0,
    ),
    bytes: JSON.stringify(writes).length,
    reads,
  }
  await waymark.close()
  return cost
}

function largeAnswers(bytes: number): JsonObject {
  const rows = Math.max(1, Math.round(bytes / 400))
  return {
    rows: Array.from({ length: rows }, (_, i) => ({
      id: i,
      text: 'x'.repeat(180),
      more: { note: 'y'.repeat(150) },
    })),
  }
}

/** The same object, not frozen, telling of every property read at any depth. */
function counting<T extends object>(target: T, onRead: () => void): T {
  return new Proxy(target, {
    get(object, key, receiver) {
      onRead()
      const value: unknown = Reflect.get(object, key, receiver)
      return typeof value === 'object' && value !== null ? counting(value, onRead) : value
    },
    ownKeys(object) {
      onRead()
      return Reflect.ownKeys(object)
    },
  })
}

describe('the cost of a change', () => {
  for (const change of ['type', 'enter'] as const) {
    test(`does not grow with the session when people ${change}`, async () => {
      const small = await costOf(10_000, change)
      const large = await costOf(1_000_000, change)
      expect(small.writes).toBe(15)
      for (const count of ['writes', 'requests', 'bytes', 'reads'] as const) {
        expect(
          large[count] / small[count],
          `${count}: ${small[count]} and ${large[count]}`,
        ).toBeLessThanOrEqual(1.2)
      }
      expect(small.requests / small.writes).toBeLessThanOrEqual(change === 'type' ? 1 : 2)
    })
  }
})
