import { describe, expect, test, vi } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { type SimulationFailure, simulate } from '../../../src/testing/simulate.ts'

const pets = defineFlow({
  id: 'pets',
  version: 1,
  title: 'A pet',
  steps: { owner: { title: 'You' }, pet: { title: 'Your pet', optional: true } },
})

vi.setConfig({ testTimeout: 60_000 })

describe('simulate', () => {
  test('runs the same for the same seed, to the last event', async () => {
    const [first, again, other] = [
      await simulate({ seed: 3, seeds: 2 }),
      await simulate({ seed: 3, seeds: 2 }),
      await simulate({ seed: 5, seeds: 2 }),
    ]
    expect(again).toEqual(first)
    expect(other.fingerprint).not.toBe(first.fingerprint)
  })

  test('has people write most of the time, and trouble strike in every seed', async () => {
    const faults: number[] = []
    const { operations, mix, failures } = await simulate({
      ...{ seed: 41, seeds: 30 },
      onSeed: (_seed, { faults: struck }) => faults.push(struck),
    })
    expect(failures).toEqual([])
    expect(mix.writes / operations).toBeGreaterThan(0.4)
    expect(Math.min(...faults)).toBeGreaterThanOrEqual(5)
    expect(mix.jumps).toBeGreaterThan(0)
    expect(mix.deaths).toBeGreaterThan(0)
  })

  test('adds trouble to a seed that had too little of it', async () => {
    const faults: number[] = []
    await simulate({
      ...{ seed: 1, seeds: 10, operations: 5 },
      onSeed: (_seed, { faults: struck }) => faults.push(struck),
    })
    expect(Math.min(...faults)).toBeGreaterThanOrEqual(5)
  })

  test('has days on which nothing fails', async () => {
    const { mix, failures } = await simulate({ seeds: 5, hasFaults: false })
    expect(failures).toEqual([])
    expect(mix).toMatchObject({ faults: 0, jumps: 0, deaths: 0 })
    expect(mix.writes).toBeGreaterThan(50)
  })

  test('takes a flow, what is typed into it, and a backend', async () => {
    const typed: string[] = []
    const { failures, mix } = await simulate({
      flow: pets,
      type: {
        pet(typist) {
          const name = typist.text()
          typed.push(name)
          return { name }
        },
      },
      backend: ({ clock }) => memoryBackend({ clock }),
      seeds: 5,
    })
    expect(failures).toEqual([])
    expect(mix.writes).toBeGreaterThan(100)
    expect(typed.length).toBeGreaterThan(20)
    expect((await simulate({ flow: pets, backend: false, seeds: 2 })).failures).toEqual([])
  })

  test.each<[string, () => unknown, string]>([
    ['rejects', () => Promise.reject(new Error('boom')), 'backend: the backend threw boom'],
    ['answers with something else', async () => ({ hello: 1 }), 'backend: the backend gave no outcome'],
  ])('tells of a backend that %s', async (_, exchange, violation) => {
    const { failures } = await simulate({ backend: () => ({ exchange }) as Backend, seeds: 3 })
    expect(failures[0]?.violations).toContain(violation)
  })

  test('refuses to type into a step the flow does not have', async () => {
    const type = { pets: () => ({}) } as object
    await expect(simulate({ flow: pets, type })).rejects.toMatchObject({ code: 'step-unknown' })
  })

  test('tells of a backend that keeps no answers, in a short story that happens again', async () => {
    const options = { backend: forgetful, seed: 3, seeds: 20 }
    const { failures } = await simulate(options)
    const [{ seed, violations, story }] = failures as [SimulationFailure]
    expect(violations.map((violation) => violation.split(':')[0])).toContain('missing')
    expect(story.length).toBeLessThan(20)
    expect((await simulate({ ...options, seed, seeds: 1 })).failures).toEqual(failures)
    const [whole] = (await simulate({ ...options, seed, seeds: 1, isShrunk: false })).failures
    expect(whole?.story.length).toBeGreaterThan(100)
  })
})

/** Takes every entry and no answer: other devices find nothing. */
function forgetful({ clock }: { readonly clock: Clock }): Backend {
  const inner = memoryBackend({ clock })
  return {
    exchange: (items, options) =>
      inner.exchange(
        items.map((item) => (item.type === 'push' ? { ...item, changed: {} } : item)),
        options,
      ),
  }
}
