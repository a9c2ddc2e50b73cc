import { StrictMode } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { isWaymarkError, type Session, type Waymark, WaymarkError } from 'waymark'
import { type ResumeState, useResume, useSession } from 'waymark/react'
import { cleanUp, freshWaymark, hydrate, inAct, mount, type trip, until } from './mount.tsx'

type Trip = typeof trip

let last: ResumeState<Trip>

function Prompt({ waymark }: { waymark: Waymark<Trip> }) {
  last = useResume(waymark)
  return (
    <ul data-status={last.status}>
      {last.sessions.map((one) => (
        <li key={one.id}>{`${one.key}: ${one.step.title}, ${one.progress.done} of ${one.progress.max}`}</li>
      ))}
    </ul>
  )
}

function Form(props: { waymark: Waymark<Trip>; tripKey: string; expected: Session<Trip> }) {
  const form = useSession(props.waymark, 'trip', { key: props.tripKey })
  return <p>{form.status === 'open' && form.session === props.expected ? 'same' : form.status}</p>
}

/** What an earlier visit left behind. */
async function leave(waymark: Waymark<Trip>, key: string, isFinished: boolean): Promise<string> {
  const session = await waymark.open('trip', { key })
  session.set('traveller', { name: key, city: 'Paris', withChild: false })
  if (isFinished) await session.next()
  await session.saved('strict')
  await session.close()
  return session.id
}

const linesOf = (host: HTMLElement) => [...host.querySelectorAll('li')].map((line) => line.textContent)

afterEach(cleanUp)

describe('useResume', () => {
  test('lists what can be continued, last saved first, and continues it where it was left', async () => {
    const waymark = freshWaymark()
    const id = await leave(waymark, 'first', true)
    await leave(waymark, 'second', false)
    const { host } = await mount(
      <StrictMode>
        <Prompt waymark={waymark} />
      </StrictMode>,
    )
    await until(() => expect(linesOf(host)).toEqual(['second: You, 0 of 2', 'first: Check, 1 of 2']))
    expect(last.status).toBe('ready')
    const session = await last.continue(id)
    expect(session.getSnapshot()).toMatchObject({ step: 'review', answers: { traveller: { name: 'first' } } })
    session.set('traveller', { city: 'Rome' })
    expect(await session.saved('device')).toEqual({ type: 'saved' })
  })

  test('holds what it continued until it is unmounted; a form that opened it keeps it', async () => {
    const waymark = freshWaymark()
    const id = await leave(waymark, 'one', true)
    const prompt = <Prompt key="p" waymark={waymark} />
    const page = await mount([prompt])
    await until(() => expect(last.sessions).toHaveLength(1))
    const continued = await last.continue(id)
    const form = <Form key="f" waymark={waymark} tripKey="one" expected={continued} />
    await page.render([prompt, form])
    await until(() => expect(page.host.querySelector('p')!.textContent).toBe('same'))
    await page.render([form])
    continued.set('traveller', { city: 'Rome' })
    expect(await continued.saved('device')).toEqual({ type: 'saved' })
    await page.unmount()
    expect(() => continued.set('traveller', { city: 'Oslo' })).toThrowError(/closed/)
  })

  test('starts over: no answers, the first step, listed as such', async () => {
    const waymark = freshWaymark()
    const id = await leave(waymark, 'one', true)
    const { host } = await mount(<Prompt waymark={waymark} />)
    await until(() => expect(linesOf(host)).toEqual(['one: Check, 1 of 2']))
    let session: Session<Trip> | undefined
    await inAct(async () => {
      session = await last.startOver(id)
    })
    expect(session!.getSnapshot()).toMatchObject({ id, step: 'traveller', answers: {} })
    await until(() => expect(linesOf(host)).toEqual(['one: You, 0 of 3']))
  })

  test('an id it does not know is refused by code', async () => {
    const waymark = freshWaymark()
    await mount(<Prompt waymark={waymark} />)
    await until(() => expect(last.status).toBe('ready'))
    await expect(last.continue('nowhere')).rejects.toSatisfy((e) => isWaymarkError(e, 'session-unknown'))
  })

  test('a list that cannot be read is a failed status, and refresh mends it', async () => {
    const waymark = freshWaymark()
    const id = await leave(waymark, 'one', false)
    const failure = new WaymarkError('storage-failed', 'The disk is gone.')
    const resumable = vi.spyOn(waymark, 'resumable').mockRejectedValue(failure)
    const { host } = await mount(<Prompt waymark={waymark} />)
    await until(() => expect(last).toMatchObject({ status: 'failed', error: failure, sessions: [] }))
    resumable.mockRestore()
    await inAct(() => last.refresh())
    expect(last.sessions.map((one) => one.id)).toEqual([id])
    expect(linesOf(host)).toHaveLength(1)
  })

  test('of two lists asked for, the one asked for last is shown', async () => {
    const waymark = freshWaymark()
    await leave(waymark, 'one', false)
    const current = await waymark.resumable()
    let answerOld: (list: typeof current) => void = () => {}
    vi.spyOn(waymark, 'resumable').mockReturnValueOnce(new Promise((resolve) => (answerOld = resolve)))
    await mount(<Prompt waymark={waymark} />)
    await inAct(() => last.refresh())
    expect(last.sessions).toHaveLength(1)
    await inAct(() => answerOld([]))
    expect(last.sessions).toHaveLength(1)
  })

  test('an unmount while it continues leaves nothing open', async () => {
    const waymark = freshWaymark()
    const id = await leave(waymark, 'one', false)
    const page = await mount(<Prompt waymark={waymark} />)
    await until(() => expect(last.sessions).toHaveLength(1))
    const continued = last.continue(id)
    await page.unmount()
    const session = await continued
    expect(() => session.set('child', { a: 1 })).toThrowError(/closed/)
  })

  test('its functions are the same at every render', async () => {
    const waymark = freshWaymark()
    const seen = new Set<unknown>()
    const note = () => {
      for (const one of [last.continue, last.startOver, last.refresh]) seen.add(one)
    }
    const { render } = await mount(<Prompt waymark={waymark} />)
    note()
    await until(() => expect(last.status).toBe('ready'))
    note()
    await render(<Prompt waymark={waymark} />)
    note()
    expect(seen.size).toBe(3)
  })

  test('hydrates what a server rendered without a mismatch', async () => {
    const waymark = freshWaymark()
    await leave(waymark, 'one', false)
    const html = renderToString(<Prompt waymark={waymark} />)
    expect(html).toBe('<ul data-status="loading"></ul>')
    const { host, recovered } = await hydrate(html, <Prompt waymark={waymark} />)
    await until(() => expect(linesOf(host)).toEqual(['one: You, 0 of 2']))
    expect(recovered).toEqual([])
  })
})
