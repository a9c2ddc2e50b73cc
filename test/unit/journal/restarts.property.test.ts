import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { openTestJournal, set } from '../../support/journal-rig.ts'

/** What happens to somebody's typing: pages come and go without a word, time passes between. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('type' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('kill' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('switch' as const) }) },
)

/** The same rows for every page; a page that was killed reaches them no more. */
function mortal(store: Store) {
  let isDead = false
  const never = new Promise<never>(() => {})
  return {
    kill: () => {
      isDead = true
    },
    store: {
      ...store,
      kind: 'indexeddb',
      write: (write) => (isDead ? never : store.write(write)),
      read: (ranges) => (isDead ? never : store.read(ranges)),
    } satisfies Store,
  }
}

test('two tabs, killed and opened again at any time, show the last number that was acknowledged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const rows = createMemoryStore()
      const clock = createFakeClock()
      const open = async () => {
        const life = mortal(rows)
        return { ...(await openTestJournal({ store: life.store, clock })), kill: life.kill }
      }
      const tabs = [await open(), await open()]
      let at = 0
      let n = 0
      let acknowledged = 0
      const shownBy = (tab: (typeof tabs)[number]) =>
        Number((tab.journal.state.answers['one'] as { n?: number } | undefined)?.n ?? 0)
      for (const one of steps) {
        const tab = tabs[at]!
        if (one.do === 'type') {
          n += 1
          tab.journal.draft(set('one', { n }))
          await clock.advance(1)
          if (tab.journal.marks.acknowledged === tab.journal.marks.made) acknowledged = n
        } else if (one.do === 'commit') {
          tab.journal.commitDraft()
          await clock.advance(1)
        } else if (one.do === 'wait') await clock.advance(one.ms)
        else if (one.do === 'switch') {
          at = 1 - at
          await tabs[at]!.journal.catchUp()
        } else {
          tab.kill()
          tabs[at] = await open()
        }
        expect(shownBy(tabs[at]!)).toBeGreaterThanOrEqual(acknowledged)
      }
      const last = await open()
      expect(shownBy(last)).toBe(n)
      expect(last.events.filter((event) => event.type === 'damaged')).toEqual([])
      await clock.advance(40_000)
      expect(last.journal.storedState?.answers['one'] ?? {}).toEqual(n === 0 ? {} : { n })
    }),
    { numRuns: 150 },
  )
}, 60_000)
