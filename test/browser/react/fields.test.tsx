import { afterEach, describe, expect, test } from 'vitest'
import type { Session, Waymark } from 'waymark'
import { memoryBackend } from 'waymark/backends'
import { useProgress, useSaveStatus, useSession, useSessionValue } from 'waymark/react'
import { cleanUp, freshWaymark, inAct, mount, renderCounter, type trip, type, until } from './mount.tsx'

const { count, take } = renderCounter()

interface Of {
  session: Session<typeof trip>
}

function Field({ session, field }: Of & { field: 'name' | 'city' }) {
  count(field)
  const value = useSessionValue(session, (now) => now.answers.traveller?.[field] ?? '')
  return (
    <input
      id={field}
      value={value}
      onChange={(event) => session.set('traveller', { [field]: event.target.value })}
    />
  )
}

function Steps({ session }: Of) {
  count('steps')
  const { done, min, max, steps } = useProgress(session)
  return <p id="steps">{`${done} of ${min} to ${max}: ${steps.map((step) => step.state).join(' ')}`}</p>
}

function Saved({ session }: Of) {
  count('saved')
  const { device, server } = useSaveStatus(session).saved
  return <p id="saved">{`${device} ${server}`}</p>
}

function Fields({ session }: Of) {
  count('form')
  return (
    <>
      <Field session={session} field="name" />
      <Field session={session} field="city" />
      <Steps session={session} />
      <Saved session={session} />
    </>
  )
}

function App({ waymark }: { waymark: Waymark<typeof trip> }) {
  count('app')
  const form = useSession(waymark, 'trip')
  return form.status === 'open' && <Fields session={form.session} />
}

async function mountForm(options: Parameters<typeof freshWaymark>[0] = {}) {
  const waymark = freshWaymark(options)
  const { host } = await mount(<App waymark={waymark} />)
  await until(() => expect(host.querySelector('#name')).not.toBeNull())
  const session = await waymark.open('trip')
  const input = (id: string) => host.querySelector<HTMLInputElement>(`#${id}`)!
  const text = (id: string) => host.querySelector(`#${id}`)!.textContent
  await inAct(() => {})
  return { session, input, text, mounted: take() }
}

afterEach(async () => {
  await cleanUp()
  take()
})

describe('useSessionValue', () => {
  test('typing in one field renders that field, once a character, and nothing else', async () => {
    const { session, input, mounted } = await mountForm()
    expect(mounted).toEqual({ app: 2, form: 1, name: 1, city: 1, steps: 1, saved: 1 })
    await type(input('name'), 'Ada Lovelace')
    const { saved, ...typed } = take()
    expect(typed).toEqual({ name: 12 })
    expect(saved ?? 0).toBeLessThanOrEqual(24)
    await type(input('city'), 'Paris')
    expect({ ...take(), saved: 0 }).toEqual({ city: 5, saved: 0 })
    expect(session.getSnapshot().answers.traveller).toEqual({ name: 'Ada Lovelace', city: 'Paris' })
    expect(input('name').value).toBe('Ada Lovelace')
  })

  test('no status change renders a field', async () => {
    const { session, text } = await mountForm({ backend: memoryBackend(), account: 'u1' })
    await inAct(() => session.set('traveller', { name: 'Ada' }))
    take()
    session.commit()
    await session.saved('server')
    await session.saved('strict')
    await until(() => expect(text('saved')).toBe('strict yes'))
    const { saved, ...others } = take()
    expect(others).toEqual({})
    expect(saved).toBeGreaterThan(0)
    await until(() => expect(session.status.getSnapshot().sync?.state).toBe('idle'))
  })

  test('keeps the old value where isEqual says nothing changed, with a selector written in place', async () => {
    const waymark = freshWaymark()
    const session = await waymark.open('trip')
    const lists = new Set<readonly string[]>()
    const titles = (note: string) => (
      <Titles session={session} note={note} onList={(list) => lists.add(list)} />
    )
    const { host, render } = await mount(titles('one'))
    await render(titles('two'))
    await inAct(() => session.set('traveller', { name: 'Ada' }))
    expect(host.textContent).toBe('You, Check, two')
    expect(lists.size).toBe(1)
    expect(take()).toEqual({ titles: 2 })
    await inAct(() => session.set('traveller', { withChild: true }))
    expect(host.textContent).toBe('You, Your child, Check, two')
    expect(lists.size).toBe(2)
    expect(take()).toEqual({ titles: 1 })
    await session.close()
  })

  test('a selector that closes over props follows them, and another session', async () => {
    const waymark = freshWaymark()
    const a = await waymark.open('trip', { key: 'a' })
    const b = await waymark.open('trip', { key: 'b' })
    a.set('traveller', { name: 'Ada', city: 'London' })
    b.set('traveller', { name: 'Blaise' })
    const { host, render } = await mount(<Value session={a} field="name" />)
    expect(host.textContent).toBe('Ada')
    await render(<Value session={a} field="city" />)
    expect(host.textContent).toBe('London')
    await render(<Value session={b} field="name" />)
    expect(host.textContent).toBe('Blaise')
    await inAct(() => a.set('traveller', { name: 'Augusta' }))
    await inAct(() => b.set('traveller', { name: 'Pascal' }))
    expect(host.textContent).toBe('Pascal')
    await Promise.all([a.close(), b.close()])
  })
})

function Titles({ session, note, onList }: Of & { note: string; onList: (list: readonly string[]) => void }) {
  count('titles')
  const titles = useSessionValue(
    session,
    (now) => now.progress.steps.filter((step) => step.state !== 'undecided').map((step) => step.title),
    (a, b) => a.join() === b.join(),
  )
  onList(titles)
  return <p>{[...titles, note].join(', ')}</p>
}

function Value({ session, field }: Of & { field: 'name' | 'city' }) {
  return useSessionValue(session, (now) => now.answers.traveller?.[field] ?? '')
}

describe('useProgress', () => {
  test('follows branches and finished steps, not typing', async () => {
    const { session, input, text } = await mountForm()
    expect(text('steps')).toBe('0 of 2 to 3: current undecided todo')
    await inAct(() => session.set('traveller', { withChild: true }))
    expect(text('steps')).toBe('0 of 3 to 3: current todo todo')
    take()
    await type(input('name'), 'Ada')
    await type(input('city'), 'Paris')
    expect(take()['steps']).toBeUndefined()
    await session.next()
    await until(() => expect(text('steps')).toBe('1 of 3 to 3: finished current todo'))
    await session.back()
    await until(() => expect(text('steps')).toBe('1 of 3 to 3: current todo todo'))
  })
})

describe('useSaveStatus', () => {
  test('says where the answers are', async () => {
    const { session, text } = await mountForm()
    await inAct(() => session.set('traveller', { name: 'Ada' }))
    await until(() => expect(text('saved')).toBe('yes none'))
    await session.saved('strict')
    await until(() => expect(text('saved')).toBe('strict none'))
  })
})
