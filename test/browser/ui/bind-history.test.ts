import { afterEach, describe, expect, test, vi } from 'vitest'
import { bindHistory, createWaymark, type Waymark } from 'waymark'
import { mortgage } from '../../support/fixture-flow.ts'

const opened: Waymark<typeof mortgage>[] = []
const start = location.href
const until = (check: () => void) => vi.waitFor(check, { timeout: 4_000, interval: 10 })

async function open() {
  const name = `history-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`
  const waymark = createWaymark({ flows: [mortgage], namespace: name })
  opened.push(waymark)
  return waymark.open('mortgage')
}

afterEach(async () => {
  for (const waymark of opened.splice(0)) await waymark.close()
  history.replaceState(null, '', start)
})

describe('bindHistory', () => {
  test('Back and Forward move between steps, and no answer is ever in the URL', async () => {
    const session = await open()
    const unbind = bindHistory(session)
    await until(() => expect(location.hash).toBe('#applicant'))
    session.set('applicant', { name: 'Secret', joint: false })
    await session.next()
    expect(location.hash).toBe('#incomes')
    await session.next()
    expect(location.hash).toBe('#notes')
    history.back()
    await until(() => expect(session.getSnapshot().step).toBe('incomes'))
    history.back()
    await until(() => expect(session.getSnapshot().step).toBe('applicant'))
    history.forward()
    await until(() => expect(session.getSnapshot().step).toBe('incomes'))
    expect(location.href).not.toContain('Secret')
    unbind()
  })

  test('a deep link to a step that may not be visited yet is corrected', async () => {
    const session = await open()
    history.replaceState(null, '', '#review')
    const unbind = bindHistory(session)
    await until(() => expect(location.hash).toBe('#applicant'))
    expect(session.getSnapshot().step).toBe('applicant')
    unbind()
  })

  test('a link that was mangled is corrected', async () => {
    const session = await open()
    const unbind = bindHistory(session)
    location.hash = '#%E0%A4%A'
    await until(() => expect(location.hash).toBe('#applicant'))
    unbind()
  })

  test('a move made while that of Back is being stored gets an entry of its own', async () => {
    const session = await open()
    const unbind = bindHistory(session)
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    await session.next()
    expect(location.hash).toBe('#notes')
    const isForward = new Promise<void>((resolve) => {
      const stop = session.subscribe(() => {
        if (session.getSnapshot().step !== 'incomes') return
        stop()
        queueMicrotask(() => session.goTo('notes').then(() => resolve()))
      })
    })
    history.back()
    await isForward
    expect(location.hash).toBe('#notes')
    history.back()
    await until(() => expect(session.getSnapshot().step).toBe('incomes'))
    unbind()
  })

  test('a deep link to a visited step leads there', async () => {
    const session = await open()
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    history.replaceState(null, '', '#applicant')
    const unbind = bindHistory(session)
    await until(() => expect(session.getSnapshot().step).toBe('applicant'))
    unbind()
  })
})
