import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createWaymark, type Session, type Waymark, type WaymarkOptions } from 'waymark'
import { openWorkerStore } from 'waymark/worker'
import { mortgage } from '../../support/fixture-flow.ts'
import { freshName } from '../store/open-store.ts'
import { openInWorker, ways } from './worker-store.ts'

const count = 100
const errors: unknown[] = []
const opened: Waymark<typeof mortgage>[] = []

function page(namespace: string, options: Partial<WaymarkOptions<typeof mortgage>> = {}) {
  const waymark = createWaymark({
    flows: [mortgage],
    namespace,
    onError: (error) => errors.push(error),
    ...options,
  })
  opened.push(waymark)
  return waymark
}

const linesOf = (session: Session<typeof mortgage>) => Object.keys(session.getSnapshot().answers.notes ?? {})

afterEach(async () => {
  for (const waymark of opened.splice(0)) await waymark.close()
  expect(errors.splice(0)).toEqual([])
})

describe.each(ways)('%s terminated in the middle of 100 appends', (_name, way) => {
  test.each([
    ['once', 1],
    ['more often than it is replaced', 5],
  ])(
    '%s: every acknowledged one is found after reopening',
    async (_how, kills) => {
      const namespace = freshName()
      const workers: Worker[] = []
      const make = way()
      const worker = () => {
        const made = make()
        workers.push(made)
        return made
      }
      const store = await openWorkerStore({ worker, name: namespace, timeoutMs: 400 })
      onTestFinished(() => store.close())
      const waymark = page(namespace, { store })
      const session = await waymark.open('mortgage')
      const isSaved = () => expect(session.status.getSnapshot().saved.device).toBe('strict')
      const isKilledAt = (i: number) => i % (count / kills) === count / kills / 2
      const acknowledged = new Set<string>()
      for (let i = 0; i < count; i++) {
        const line = `line${i}`
        session.set('notes', { [line]: i })
        session.commit()
        session.saved('device').then((outcome) => outcome.type === 'saved' && acknowledged.add(line))
        if (isKilledAt(i)) {
          // With nothing but a write under way: else WebKit may leave the database locked (bug 324094).
          await session.saved('strict')
          session.set('notes', { [line]: i + 1 })
          session.commit()
          workers.at(-1)?.terminate()
          const lines = linesOf(await page(namespace).open('mortgage'))
          expect(lines).toEqual(expect.arrayContaining([...acknowledged]))
          expect(await session.saved('strict')).toSatisfy(
            ({ type }) => type === 'saved' || type === 'at-risk',
          )
          await vi.waitFor(isSaved, { timeout: 10_000 })
        } else if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await session.saved('strict')
      await vi.waitFor(isSaved, { timeout: 10_000 })
      expect(acknowledged.size).toBeGreaterThan(0)
      for (const error of errors.splice(0)) expect(error).toMatchObject({ details: { death: 'timeout' } })
      expect(workers).toHaveLength(Math.min(kills, 3) + 1)
      expect(store.generation).toBe(0)

      const again = await page(namespace).open('mortgage')
      expect(again.id).toBe(session.id)
      expect(linesOf(again)).toHaveLength(count)
      expect(await again.verify()).toMatchObject({ type: 'whole' })
      expect(await again.quarantined()).toEqual([])
      // No entry twice: what was stored by a worker that died counts as the acknowledgement of what was sent again.
      const texts = JSON.stringify(await again.history())
      for (let i = 0; i < count; i++) expect(texts.split(`"/line${i}"`)).toHaveLength(isKilledAt(i) ? 3 : 2)
    },
    60_000,
  )
})

test('two tabs on one database, one through a worker and one without, lose nothing', async () => {
  const namespace = freshName()
  const [, file] = ways[0]!
  const store = await openInWorker({ worker: file(), name: namespace })
  const a = await page(namespace, { store }).open('mortgage')
  const b = await page(namespace).open('mortgage')
  for (let i = 0; i < count; i++) {
    a.set('notes', { [`a${i}`]: i })
    b.set('notes', { [`b${i}`]: i })
    if (i % 3 === 0) a.commit()
    if (i % 5 === 0) b.commit()
    if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve))
  }
  expect(await a.saved('strict')).toEqual({ type: 'saved' })
  expect(await b.saved('strict')).toEqual({ type: 'saved' })
  const fresh = await page(namespace).open('mortgage')
  const expected = Array.from({ length: count }, (_, i) => [`a${i}`, `b${i}`]).flat()
  expect(Object.keys(fresh.getSnapshot().answers.notes ?? {}).sort()).toEqual(expected.sort())
  expect(await fresh.verify()).toMatchObject({ type: 'whole' })
}, 60_000)

test('a key made by the browser goes through the worker and opens what it sealed', async () => {
  const namespace = freshName()
  const [, inline] = ways[1]!
  const store = await openInWorker({ worker: inline(), name: namespace })
  const session = await page(namespace, { store, encryption: 'browser' }).open('mortgage')
  session.set('applicant', { name: 'PLANTED' })
  expect(await session.saved('strict')).toEqual({ type: 'saved' })
  const again = await page(namespace, { encryption: 'browser' }).open('mortgage')
  expect(again.getSnapshot().answers).toEqual({ applicant: { name: 'PLANTED' } })
})
