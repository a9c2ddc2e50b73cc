import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { openTestJournal, set } from '../../support/journal-rig.ts'

type Tab = Awaited<ReturnType<typeof openTestJournal>>

const action = fc.record({
  tab: fc.nat(2),
  what: fc.constantFrom(
    ...(['draft', 'draft', 'append', 'append', 'finish', 'commit', 'catchUp', 'settle', 'tick'] as const),
    ...(['soon', 'later', 'close', 'abandon', 'fail', 'loseReply'] as const),
  ),
  step: fc.constantFrom('one', 'two'),
  field: fc.constantFrom('x', 'y', 'z'),
})

/** A memory store whose next write can be told to fail, or to happen and lose its reply. */
function createUnreliableStore() {
  const store = createMemoryStore()
  const fault: { next: 'none' | 'fail' | 'loseReply' } = { next: 'none' }
  const unreliable: Store = {
    ...store,
    async write(write) {
      const now = fault.next
      fault.next = 'none'
      if (now === 'fail') throw Object.assign(new Error('broken'), { name: 'UnknownError' })
      const outcome = await store.write(write)
      if (now === 'loseReply') throw Object.assign(new Error('lost'), { name: 'TimeoutError' })
      return outcome
    },
  }
  return { store: unreliable, fault }
}

describe('three tabs on one session', () => {
  test('agree in the end, lose nothing acknowledged, and find nothing damaged, whatever they do', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 5, maxLength: 40 }), async (actions) => {
        const { store, fault } = createUnreliableStore()
        const clock = createFakeClock()
        const open = () => openTestJournal({ store, clock })
        const tabs: Tab[] = [await open(), await open(), await open()]
        const everOpened = [...tabs]
        /** The last value each tab gave each field: what came before it in the same tab, the person replaced. */
        const made = new Map<string, { tab: Tab; number: number; value: string }>()
        const acknowledged: string[] = []
        const collect = (tab: Tab) => {
          for (const [place, one] of made) {
            if (one.tab !== tab) continue
            if (one.number <= tab.journal.marks.acknowledged) acknowledged.push(one.value)
            made.delete(place)
          }
        }
        for (const [i, { tab: index, what, step, field }] of actions.entries()) {
          const tab = tabs[index]!
          const { journal } = tab
          const change = set(step, { [field]: `${step}-${field}-${i}.` })
          if (what === 'draft') journal.draft(change)
          else if (what === 'append') journal.append([change], 'relaxed')
          else if (what === 'finish') journal.append([{ type: 'finished', step, how: 'valid' }], 'strict')
          else if (what === 'commit') journal.commitDraft()
          else if (what === 'catchUp') await journal.catchUp()
          else if (what === 'settle') await journal.settled()
          else if (what === 'tick') await new Promise((resolve) => setTimeout(resolve))
          else if (what === 'soon') await clock.advance(300)
          else if (what === 'later') await clock.advance(40_000)
          else if (what === 'fail' || what === 'loseReply') fault.next = what
          else {
            if (what === 'close') await journal.close()
            collect(tab)
            tabs[index] = await open()
            everOpened.push(tabs[index])
          }
          if (what === 'draft' || what === 'append') {
            const value = `${step}-${field}-${i}.`
            made.set(`${everOpened.indexOf(tab)}/${step}/${field}`, {
              tab,
              number: journal.marks.made,
              value,
            })
          }
        }
        fault.next = 'none'
        await clock.advance(100_000)
        for (const tab of [...tabs, ...tabs]) {
          await tab.journal.settled()
          await tab.journal.catchUp()
        }
        for (const tab of tabs) collect(tab)
        const fresh = await open()
        for (const { journal } of tabs) {
          expect(journal.marks).toMatchObject({ failure: undefined, acknowledged: journal.marks.made })
          expect(journal.state.answers).toEqual(fresh.journal.state.answers)
        }
        for (const { events } of [...everOpened, fresh]) {
          expect(events.filter((event) => event.type === 'damaged')).toEqual([])
        }
        const [rows] = await store.read([{ store: 'journal', prefix: ['s1'] }])
        const text = JSON.stringify(rows)
        expect(acknowledged.filter((value) => !text.includes(value))).toEqual([])
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})
