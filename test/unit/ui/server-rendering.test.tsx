import { renderToString } from 'react-dom/server'
import { afterEach, describe, expect, test } from 'vitest'
import { createWaymark, type Session, type Waymark } from 'waymark'
import { useProgress, useResume, useSaveStatus, useSession, useSessionValue } from 'waymark/react'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { mortgage } from '../../support/fixture-flow.ts'

type Mortgage = typeof mortgage

/** A store that lists every call it gets. */
function watchedStore(calls: string[]): Store {
  const inner = createMemoryStore()
  return {
    kind: 'indexeddb',
    generation: 0,
    read(ranges) {
      calls.push('read')
      return inner.read(ranges)
    },
    write(write) {
      calls.push('write')
      return inner.write(write)
    },
    close: () => inner.close(),
  }
}

const opened: { close(): Promise<void> }[] = []

function serverWaymark(calls: string[]): Waymark<Mortgage> {
  const waymark = createWaymark({ flows: [mortgage], store: watchedStore(calls), clock: createFakeClock() })
  opened.push(waymark)
  return waymark
}

function Page({ waymark }: { waymark: Waymark<Mortgage> }) {
  const form = useSession(waymark, 'mortgage')
  const resume = useResume(waymark)
  return (
    <main>
      {form.status === 'open' ? <Form session={form.session} /> : form.status},{' '}
      {`${resume.status} ${resume.sessions.length}`}
    </main>
  )
}

function Form({ session }: { session: Session<Mortgage> }) {
  const name = useSessionValue(session, (now) => now.answers.applicant?.name)
  const { saved } = useSaveStatus(session)
  return <p>{`${name}, ${saved.device}, step ${useProgress(session).done + 1}`}</p>
}

afterEach(async () => {
  for (const waymark of opened.splice(0)) await waymark.close()
})

describe('rendering on a server', () => {
  test('shows the opening state, and touches neither window nor store', async () => {
    const calls: string[] = []
    const touched: string[] = []
    Object.defineProperty(globalThis, 'indexedDB', {
      configurable: true,
      get() {
        touched.push('indexedDB')
        return undefined
      },
    })
    try {
      expect(typeof window).toBe('undefined')
      const waymark = serverWaymark(calls)
      // Making it opens the store it was given; rendering asks nothing of it.
      await new Promise((resolve) => setTimeout(resolve))
      calls.length = 0
      const html = renderToString(<Page waymark={waymark} />).replaceAll('<!-- -->', '')
      expect(html).toBe('<main>opening, loading 0</main>')
      await new Promise((resolve) => setTimeout(resolve))
      expect({ calls, touched }).toEqual({ calls: [], touched: [] })
    } finally {
      Reflect.deleteProperty(globalThis, 'indexedDB')
    }
  })

  test('a session that was opened before is rendered as it is', async () => {
    const session = await serverWaymark([]).open('mortgage')
    session.set('applicant', { name: 'Ada' })
    expect(await session.saved('device')).toEqual({ type: 'saved' })
    expect(renderToString(<Form session={session} />)).toBe('<p>Ada, yes, step 1</p>')
  })
})
