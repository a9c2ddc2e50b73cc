import { afterEach, describe, expect, test } from 'vitest'
import { openTabs, type TabNews, type Tabs } from '../../../src/client/tabs.ts'
import { createFakeClock } from '../../support/fake-clock.ts'

const opened: Tabs[] = []
afterEach(() => {
  for (const tabs of opened.splice(0)) tabs.close()
})

/** Two tabs, and what the second hears of the first. */
function twoTabs(namespace: string) {
  const clock = createFakeClock()
  const [teller, hearer] = [openTabs(namespace, clock), openTabs(namespace, clock)]
  opened.push(teller, hearer)
  const heard: TabNews[] = []
  hearer.on((news) => heard.push(news))
  return { clock, teller, heard }
}

/** Messages of a BroadcastChannel come by the platform's own time. */
const arrived = () => new Promise((resolve) => setTimeout(resolve, 50))

const stored = (session: string): TabNews => ({ type: 'stored', session })

describe('tabs', () => {
  test('tell once of all that is stored within a moment', async () => {
    const { clock, teller, heard } = twoTabs('once')
    for (const session of ['a', 'b', 'a', 'a']) teller.tell(stored(session))
    await arrived()
    expect(heard).toEqual([])
    await clock.advance(25)
    await arrived()
    expect(heard).toEqual([stored('a'), stored('b')])
    teller.tell(stored('a'))
    await clock.advance(25)
    await arrived()
    expect(heard).toHaveLength(3)
  })

  test('tell of anything else at once, and of what was stored before it first', async () => {
    const { teller, heard } = twoTabs('order')
    teller.tell(stored('a'))
    teller.tell({ type: 'removed', session: 'a' })
    await arrived()
    expect(heard).toEqual([stored('a'), { type: 'removed', session: 'a' }])
  })

  test('tell what they have gathered when they close', async () => {
    const { teller, heard } = twoTabs('closing')
    teller.tell(stored('a'))
    teller.close()
    await arrived()
    expect(heard).toEqual([stored('a')])
  })
})
