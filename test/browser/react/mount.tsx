import { act, type ReactNode } from 'react'
import { createRoot, hydrateRoot, type Root } from 'react-dom/client'
import { vi } from 'vitest'
import { createWaymark, defineFlow, type Waymark, type WaymarkOptions } from 'waymark'
import { z } from 'zod'

/** Three steps, one of them on a branch. */
export const trip = defineFlow({
  id: 'trip',
  title: 'A trip',
  steps: {
    traveller: {
      title: 'You',
      schema: z.object({ name: z.string().min(1), city: z.string(), withChild: z.boolean() }),
    },
    child: { title: 'Your child', when: ({ traveller }) => traveller?.withChild === true },
    review: { title: 'Check' },
  },
})

const waymarks: { close(): Promise<void> }[] = []
const roots: Root[] = []
const hosts: HTMLElement[] = []

/** Waymark on the browser's own IndexedDB, in a database no other test has. */
export function freshWaymark(options: Partial<WaymarkOptions<typeof trip>> = {}): Waymark<typeof trip> {
  const namespace = `react-${crypto.getRandomValues(new Uint32Array(2)).join('-')}`
  const waymark = createWaymark({ flows: [trip], namespace, ...options })
  waymarks.push(waymark)
  return waymark
}

/** Mounts on the page; `act` surrounds only what the test itself does, so that nothing hides what storage causes. */
export async function mount(node: ReactNode) {
  const host = freshHost()
  const root = createRoot(host)
  roots.push(root)
  await inAct(() => root.render(node))
  return {
    host,
    render: (next: ReactNode) => inAct(() => root.render(next)),
    unmount: () => inAct(() => root.unmount()),
  }
}

/** Hydrates what a server rendered; `recovered` are the mismatches React had to mend. */
export async function hydrate(html: string, node: ReactNode) {
  const host = freshHost()
  host.innerHTML = html
  const recovered: unknown[] = []
  await inAct(() => {
    roots.push(hydrateRoot(host, node, { onRecoverableError: (error) => recovered.push(error) }))
  })
  return { host, recovered }
}

export async function inAct(run: () => void | Promise<void>): Promise<void> {
  const page = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }
  page.IS_REACT_ACT_ENVIRONMENT = true
  try {
    await act(async () => run())
  } finally {
    page.IS_REACT_ACT_ENVIRONMENT = false
  }
}

/** Types into a field as a person does, one character an event. */
export async function type(input: HTMLInputElement, text: string): Promise<void> {
  const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!
  for (const character of text) {
    await inAct(() => {
      setValue.call(input, input.value + character)
      input.dispatchEvent(new Event('input', { bubbles: true }))
    })
  }
}

export function until<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 5_000, interval: 10 })
}

/** How often each component was rendered. */
export function renderCounter() {
  const counts: Record<string, number> = {}
  return {
    count(name: string) {
      counts[name] = (counts[name] ?? 0) + 1
    },
    /** What was rendered since the last call. */
    take() {
      const taken = { ...counts }
      for (const name of Object.keys(counts)) delete counts[name]
      return taken
    },
  }
}

export async function cleanUp(): Promise<void> {
  for (const root of roots.splice(0)) await inAct(() => root.unmount())
  for (const host of hosts.splice(0)) host.remove()
  for (const waymark of waymarks.splice(0)) await waymark.close()
}

function freshHost(): HTMLElement {
  const host = document.createElement('div')
  document.body.append(host)
  hosts.push(host)
  return host
}
