import { describe, expect, test } from 'vitest'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Store } from '../../../src/store/store.ts'
import { settle } from '../../support/fake-clock.ts'
import { durableStore, preparePages } from '../../support/pages.ts'

const { page } = preparePages()

/** A tab that neither tells nor hears. */
const deaf = { tell: () => {}, on: () => () => {}, close: () => {} }

/** A disk on which strict writes wait until it is let go. */
function slowDisk(): { store: Store; release(): void } {
  const store = durableStore()
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return {
    release,
    store: {
      ...store,
      async write(write) {
        if (write.durability === 'strict') await released
        return store.write(write)
      },
    },
  }
}

/** Two tabs that do not hear each other, with the first step answered and stored by `a`. */
async function twoDeafTabs(answers: { name: string; joint: boolean }) {
  const store = durableStore()
  const a = await page({ store, namespace: 'tab-a' }).open('mortgage')
  a.set('applicant', answers)
  a.commit()
  await a.saved('device')
  const b = await page({ store, namespace: 'tab-b' }).open('mortgage')
  return { store, a, b }
}

describe('next', () => {
  test('on the way is one write and no read, where nobody else wrote', async () => {
    const operations: string[] = []
    const inner = durableStore()
    const store: Store = {
      ...inner,
      read(ranges) {
        operations.push('read')
        return inner.read(ranges)
      },
      write(write) {
        operations.push('write')
        return inner.write(write)
      },
    }
    const session = await page({ store }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: true })
    await session.saved('device')
    operations.length = 0
    expect(await session.next()).toMatchObject({ type: 'moved', step: 'partner' })
    expect(operations).toEqual(['write'])
  })

  test('stays where another tab had made wrong what looks right here', async () => {
    const { a, b } = await twoDeafTabs({ name: 'Ada', joint: false })
    a.set('applicant', { name: '' })
    a.commit()
    await a.saved('device')
    expect(await b.next()).toMatchObject({ type: 'invalid', step: 'applicant', issues: [{ path: '/name' }] })
    expect(b.getSnapshot()).toMatchObject({
      step: 'applicant',
      finished: {},
      answers: { applicant: { name: '' } },
    })
  })

  test('goes on with what another tab had changed, where that is right too', async () => {
    const { a, b } = await twoDeafTabs({ name: 'Ada', joint: false })
    a.set('applicant', { joint: true })
    a.commit()
    await a.saved('device')
    expect(await b.next()).toMatchObject({ type: 'moved', step: 'partner' })
    expect(b.getSnapshot().finished).toEqual({ applicant: 'valid' })
  })

  test('calls nothing wrong that another tab has mended', async () => {
    const { a, b } = await twoDeafTabs({ name: '', joint: false })
    a.set('applicant', { name: 'Ada' })
    a.commit()
    await a.saved('device')
    expect(await b.next()).toMatchObject({ type: 'moved', step: 'incomes' })
  })

  test('sends nothing off before it has read what other tabs changed', async () => {
    const { a, b } = await twoDeafTabs({ name: 'Ada', joint: false })
    await b.next()
    b.add('incomes', { source: 'Work', amount: 10 })
    await b.next()
    await b.skip()
    a.set('notes', { text: 'from a' })
    a.commit()
    await a.saved('device')
    expect(await b.next()).toMatchObject({ type: 'blocked', step: 'notes' })
    await b.goTo('notes')
    await b.next()
    expect(await b.next()).toMatchObject({ type: 'completed' })
    expect(b.getSnapshot()).toMatchObject({ answers: { notes: { text: 'from a' } }, status: 'done' })
    expect(b.conflicts).toEqual([])
  })

  test('is blocked by nothing that another tab has finished', async () => {
    const { a, b } = await twoDeafTabs({ name: 'Ada', joint: false })
    await b.next()
    b.add('incomes', { source: 'Work', amount: 10 })
    await b.next()
    await b.skip()
    a.set('applicant', { name: 'Ada L' })
    a.commit()
    await a.saved('device')
    expect(await b.next()).toMatchObject({ type: 'blocked', step: 'applicant' })
    expect(await a.next()).toMatchObject({ type: 'moved' })
    expect(await b.next()).toMatchObject({ type: 'completed' })
  })

  test('goes on where it was paused here and continued elsewhere', async () => {
    const { a, b } = await twoDeafTabs({ name: 'Ada', joint: false })
    await b.pause()
    await a.next()
    await a.continue()
    expect(await b.next()).toMatchObject({ type: 'moved' })
  })

  test('calls nothing wrong of what was ended elsewhere', async () => {
    const { a, b } = await twoDeafTabs({ name: '', joint: false })
    await a.abandon()
    expect(await b.next()).toMatchObject({ type: 'blocked' })
    expect(b.getSnapshot()).toMatchObject({ status: 'abandoned', issues: [] })
  })

  test('names the step it is at, where the one it led to went off the path', async () => {
    const flow = defineFlow({
      id: 'mortgage',
      title: 'Shop',
      steps: {
        one: { title: 'One' },
        two: { title: 'Two' },
        three: { title: 'Three', when: ({ one }) => one?.['gift'] === true },
        four: { title: 'Four' },
      },
    })
    const store = durableStore()
    const open = (namespace: string) =>
      createWaymark({ flows: [flow], store, tabs: { ...deaf }, namespace }).open('mortgage')
    const a = await open('tab-a')
    a.set('one', { gift: true })
    await a.next()
    const b = await open('tab-b')
    a.set('one', { gift: false })
    a.commit()
    await a.saved('device')
    const { step } = await b.next()
    expect(step).toBe(b.getSnapshot().step)
    expect(step).not.toBe('three')
  })

  test('pulls nobody back for what they entered themselves meanwhile', async () => {
    const { store, release } = slowDisk()
    const session = await page({ store }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: false })
    const moved: string[] = []
    session.on('moved', ({ step }) => moved.push(step))
    const outcome = session.next()
    await settle()
    session.set('applicant', { name: '' })
    release()
    expect(await outcome).toMatchObject({ type: 'moved', step: 'incomes' })
    expect(moved).toEqual(['incomes'])
  })

  test('pulls nobody back who went on meanwhile', async () => {
    const { store, release } = slowDisk()
    const a = await page({ store, namespace: 'tab-a' }).open('mortgage')
    a.set('applicant', { name: 'Ada', joint: true })
    a.commit()
    await a.saved('device')
    const b = await page({ store, namespace: 'tab-b' }).open('mortgage')
    a.set('applicant', { name: '' })
    a.commit()
    await a.saved('device')
    const first = b.next()
    await settle()
    b.set('partner', { name: 'Charles' })
    const second = b.next()
    await settle()
    release()
    await Promise.all([first, second])
    expect(b.getSnapshot()).toMatchObject({ step: 'incomes', answers: { applicant: { name: '' } } })
  })
})

describe('a move asked for while another is being stored', () => {
  test('is made, where it is from another step', async () => {
    const { store, release } = slowDisk()
    const session = await page({ store }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: true })
    const first = session.next()
    await settle()
    expect(session.getSnapshot().step).toBe('partner')
    session.set('partner', { name: 'Charles' })
    const second = session.next()
    await settle()
    release()
    expect(await first).toMatchObject({ type: 'moved', step: 'partner' })
    expect(await second).toMatchObject({ type: 'moved', step: 'incomes' })
  })

  test('is the same one, where it is asked for twice on the same step', async () => {
    const { store, release } = slowDisk()
    const session = await page({ store }).open('mortgage')
    session.set('applicant', { name: 'Ada', joint: true })
    const both = [session.next(), session.next()]
    release()
    expect(await Promise.all(both)).toMatchObject([{ step: 'partner' }, { step: 'partner' }])
    expect(session.getSnapshot()).toMatchObject({ step: 'partner', issues: [] })
  })

  test('back twice goes back two steps', async () => {
    const { store, release } = slowDisk()
    const session = await page({ store }).open('mortgage')
    release()
    session.set('applicant', { name: 'Ada', joint: true })
    await session.next()
    session.set('partner', { name: 'Charles' })
    await session.next()
    await Promise.all([session.back(), session.back()])
    expect(session.getSnapshot().step).toBe('applicant')
  })
})
