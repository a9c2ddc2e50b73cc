import { StrictMode, startTransition, useState } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { isWaymarkError, type Session, type Waymark } from 'waymark'
import { useSession } from 'waymark/react'
import {
  cleanUp,
  freshWaymark,
  hydrate,
  inAct,
  mount,
  renderCounter,
  type trip,
  type,
  until,
} from './mount.tsx'

type Trip = typeof trip

/** Says how far opening is, and hands out what it got. */
function Opener({
  waymark,
  tripKey = 'default',
  onSession,
  onRender,
}: {
  waymark: Waymark<Trip>
  tripKey?: string
  onSession?: (session: Session<Trip>) => void
  onRender?: () => void
}) {
  onRender?.()
  const form = useSession(waymark, 'trip', { key: tripKey })
  if (form.status === 'open') onSession?.(form.session)
  return <p>{form.status}</p>
}

function Code({ waymark, flow }: { waymark: Waymark<Trip>; flow: 'trip' }) {
  const form = useSession(waymark, flow)
  if (form.status !== 'failed') return form.status
  return isWaymarkError(form.error) ? form.error.code : 'no code'
}

/** Reads the snapshot. */
function Name({ waymark, onRender }: { waymark: Waymark<Trip>; onRender?: () => void }) {
  onRender?.()
  const form = useSession(waymark, 'trip')
  return <b>{form.status === 'open' ? (form.snapshot.answers.traveller?.name ?? '-') : '.'}</b>
}

/** Slow enough for React to let other work in between two names. */
function Crowd(props: { waymark: Waymark<Trip>; onReady: (show: (isShown: boolean) => void) => void }) {
  const [isShown, show] = useState(false)
  props.onReady(show)
  const dawdle = () => {
    for (const start = performance.now(); performance.now() - start < 3; );
  }
  const ids = isShown ? [...'abcdefghijkl'] : ['a']
  return ids.map((id) => <Name key={id} waymark={props.waymark} onRender={dawdle} />)
}

function NameInput({ waymark }: { waymark: Waymark<Trip> }) {
  const form = useSession(waymark, 'trip')
  const isOpen = form.status === 'open'
  return (
    <input
      value={isOpen ? (form.snapshot.answers.traveller?.name ?? '') : ''}
      disabled={!isOpen}
      onChange={(event) => isOpen && form.session.set('traveller', { name: event.target.value })}
    />
  )
}

/** True where nobody holds the session any more: the caller's own hold must be the last. */
async function closesWith(session: Session<Trip>): Promise<boolean> {
  await session.close()
  try {
    session.set('child', { probe: true })
    return false
  } catch (error) {
    return isWaymarkError(error, 'closed')
  }
}

afterEach(cleanUp)

describe('useSession', () => {
  test('opens on mount and closes on unmount', async () => {
    const waymark = freshWaymark()
    const open = vi.spyOn(waymark, 'open')
    const seen = new Set<Session<Trip>>()
    const page = await mount(<Opener waymark={waymark} onSession={(session) => seen.add(session)} />)
    await until(() => expect(page.host.textContent).toBe('open'))
    expect(open).toHaveBeenCalledTimes(1)
    const probe = await waymark.open('trip')
    expect([...seen]).toEqual([probe])
    await page.unmount()
    expect(await closesWith(probe)).toBe(true)
  })

  test('StrictMode mounts twice and leaves exactly one hold, which ends with the unmount', async () => {
    const waymark = freshWaymark()
    const open = vi.spyOn(waymark, 'open')
    const seen = new Set<Session<Trip>>()
    const page = await mount(
      <StrictMode>
        <Opener waymark={waymark} onSession={(session) => seen.add(session)} />
      </StrictMode>,
    )
    await until(() => expect(page.host.textContent).toBe('open'))
    expect(open).toHaveBeenCalledTimes(2)
    expect(seen.size).toBe(1)
    const [session] = seen
    const probe = await waymark.open('trip')
    expect(probe).toBe(session)
    await probe.close()
    session!.set('traveller', { name: 'Ada' })
    expect(await session!.saved('device')).toEqual({ type: 'saved' })
    const last = await waymark.open('trip')
    await page.unmount()
    expect(await closesWith(last)).toBe(true)
  })

  test('mounted, unmounted and mounted again, it shows what was typed before', async () => {
    const waymark = freshWaymark()
    const held: Session<Trip>[] = []
    const opener = <Opener waymark={waymark} onSession={(session) => held.push(session)} />
    const page = await mount(<StrictMode>{opener}</StrictMode>)
    await until(() => expect(page.host.textContent).toBe('open'))
    held.at(-1)!.set('traveller', { name: 'Ada' })
    await page.render(<StrictMode>gone</StrictMode>)
    await page.render(<StrictMode>{opener}</StrictMode>)
    await until(() => expect(page.host.textContent).toBe('open'))
    expect(held.at(-1)!.getSnapshot().answers.traveller).toEqual({ name: 'Ada' })
    held.at(-1)!.set('traveller', { city: 'Paris' })
    expect(await held.at(-1)!.saved('device')).toEqual({ type: 'saved' })
    await page.unmount()
    expect(await closesWith(await waymark.open('trip'))).toBe(true)
  })

  test('an unmount while it opens lets go as soon as it is open', async () => {
    const waymark = freshWaymark()
    const open = vi.spyOn(waymark, 'open')
    const page = await mount(<Opener waymark={waymark} />)
    expect(page.host.textContent).toBe('opening')
    await page.unmount()
    const session = (await open.mock.results[0]!.value) as Session<Trip>
    await until(() => expect(() => session.set('child', { a: 1 })).toThrowError(/closed/))
    expect(await waymark.resumable()).toEqual([])
  })

  test('two components share one session', async () => {
    const waymark = freshWaymark()
    const seen = new Set<Session<Trip>>()
    const opener = <Opener waymark={waymark} onSession={(session) => seen.add(session)} />
    const page = await mount([<div key="a">{opener}</div>, <div key="b">{opener}</div>])
    await until(() => expect(page.host.textContent).toBe('openopen'))
    expect(seen.size).toBe(1)
    const [session] = seen
    await page.render([<div key="a">{opener}</div>])
    session!.set('traveller', { name: 'Ada' })
    expect(await session!.saved('device')).toEqual({ type: 'saved' })
    const probe = await waymark.open('trip')
    await page.unmount()
    expect(await closesWith(probe)).toBe(true)
  })

  test('another key lets go of one session and opens the other', async () => {
    const waymark = freshWaymark()
    const held: Session<Trip>[] = []
    const opener = (key: string) => (
      <Opener waymark={waymark} tripKey={key} onSession={(session) => held.push(session)} />
    )
    const page = await mount(opener('a'))
    await until(() => expect(held.at(-1)?.key).toBe('a'))
    const first = await waymark.open('trip', { key: 'a' })
    await page.render(opener('b'))
    await until(() => expect(held.at(-1)?.key).toBe('b'))
    expect(held.at(-1)).not.toBe(first)
    expect(await closesWith(first)).toBe(true)
  })

  test('after signing in as someone else it shows that person’s session, never the last one’s', async () => {
    const waymark = freshWaymark()
    const mine = await waymark.open('trip')
    mine.set('traveller', { name: 'Mine' })
    const page = await mount(<Name waymark={waymark} />)
    await until(() => expect(page.host.textContent).toBe('Mine'))
    await inAct(() => waymark.setAccount('someone else'))
    await until(() => expect(page.host.textContent).toBe('-'))
    const theirs = await waymark.open('trip')
    await inAct(() => theirs.set('traveller', { name: 'Theirs' }))
    await until(() => expect(page.host.textContent).toBe('Theirs'))
    await theirs.close()
    await page.unmount()
    expect(await closesWith(await waymark.open('trip'))).toBe(true)
  })

  test('a session removed under it gives way to a new one', async () => {
    const waymark = freshWaymark()
    const first = await waymark.open('trip')
    first.set('traveller', { name: 'Mine' })
    await first.saved('device')
    const page = await mount(<Name waymark={waymark} />)
    await until(() => expect(page.host.textContent).toBe('Mine'))
    await inAct(() => waymark.remove(first.id))
    await until(() => expect(page.host.textContent).toBe('-'))
  })

  test('what cannot be opened is a failed status, nothing is thrown into rendering', async () => {
    const waymark = freshWaymark()
    const page = await mount(<Code waymark={waymark} flow={'nowhere' as 'trip'} />)
    await until(() => expect(page.host.textContent).toBe('flow-unknown'))
    await page.render(<Code waymark={waymark} flow="trip" />)
    await until(() => expect(page.host.textContent).toBe('open'))
    const closed = freshWaymark()
    await closed.close()
    await page.render(<Code waymark={closed} flow="trip" />)
    await until(() => expect(page.host.textContent).toBe('closed'))
  })

  test('renders for changes only where the snapshot is read', async () => {
    const waymark = freshWaymark()
    const { count, take } = renderCounter()
    const page = await mount([
      <Name key="r" waymark={waymark} onRender={() => count('reading')} />,
      <Opener key="h" waymark={waymark} onRender={() => count('holding')} />,
    ])
    await until(() => expect(page.host.textContent).toBe('-open'))
    expect(take()).toEqual({ reading: 2, holding: 2 })
    const session = await waymark.open('trip')
    for (const name of ['A', 'Ad', 'Ada']) await inAct(() => session.set('traveller', { name }))
    expect(page.host.textContent).toBe('Adaopen')
    expect(take()).toEqual({ reading: 3 })
    await session.saved('device')
    await inAct(() => {})
    expect(take()).toEqual({})
    await session.close()
  })

  test('a transition never shows two states of one session at once', async () => {
    const waymark = freshWaymark()
    const torn: string[] = []
    let show: (isShown: boolean) => void = () => {}
    const page = await mount(<Crowd waymark={waymark} onReady={(setShown) => (show = setShown)} />)
    await until(() => expect(page.host.textContent).toBe('-'))
    const session = await waymark.open('trip')
    new MutationObserver(() => {
      const shown = new Set([...page.host.querySelectorAll('b')].map((b) => b.textContent))
      shown.delete('.') // opened by its own effect, later
      if (shown.size > 1) torn.push([...shown].join(' | '))
    }).observe(page.host, { subtree: true, childList: true, characterData: true })
    startTransition(() => show(true))
    for (const name of ['A', 'Ad', 'Ada']) {
      await new Promise((resolve) => setTimeout(resolve, 8))
      session.set('traveller', { name })
    }
    await until(() => expect(page.host.textContent).toBe('Ada'.repeat(12)))
    expect(torn).toEqual([])
    await session.close()
  })

  test('hydrates what a server rendered without a mismatch, then opens', async () => {
    const waymark = freshWaymark()
    const html = renderToString(<Opener waymark={waymark} />)
    expect(html).toBe('<p>opening</p>')
    const { host, recovered } = await hydrate(html, <Opener waymark={waymark} />)
    await until(() => expect(host.textContent).toBe('open'))
    expect(recovered).toEqual([])
  })

  test('a field hydrates disabled and takes typing once open', async () => {
    const waymark = freshWaymark()
    const form = <NameInput waymark={waymark} />
    const { host, recovered } = await hydrate(renderToString(form), form)
    const input = host.querySelector('input')!
    await until(() => expect(input.disabled).toBe(false))
    await type(input, 'Ada')
    expect(input.value).toBe('Ada')
    expect(recovered).toEqual([])
  })
})
