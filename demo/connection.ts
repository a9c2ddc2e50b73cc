/**
 * The line between this page and its server, which the demo can cut in two ways: this device goes offline (its requests
 * fail, and the page is told as a browser tells it), or the server answers nothing but 503, to everyone.
 */
import { memoryOf } from './remember.ts'

export interface Connection {
  /** Whether a request has a chance, as far as this device knows. */
  readonly isOnline: boolean
  readonly isSwitchedOnline: boolean
  readonly isServerOn: boolean
  /** What the backend fetches with. */
  fetch(request: Request): Promise<Response>
  setOnline(isOnline: boolean): void
  setServerOn(isOn: boolean): Promise<void>
  subscribe(listener: () => void): () => void
}

const switchUrl = '/demo/server'

export function openConnection(): Connection {
  const memory = memoryOf('tab')
  const listeners = new Set<() => void>()
  let isSwitchedOnline = memory.get('offline') === undefined
  let isServerOn = true
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const tellPage = () => {
    window.dispatchEvent(new Event(isSwitchedOnline ? 'online' : 'offline'))
    changed()
  }

  async function switchServer(init?: RequestInit): Promise<void> {
    try {
      const response = await fetch(switchUrl, init)
      const { isStopped } = (await response.json()) as { isStopped: boolean }
      isServerOn = !isStopped
    } catch {
      // The whole server is gone: the switch stays as it was, and the status line says what matters.
    }
    changed()
  }

  window.addEventListener('online', changed)
  window.addEventListener('offline', changed)
  window.addEventListener('focus', () => void switchServer())
  void switchServer()

  return {
    get isOnline() {
      return isSwitchedOnline && navigator.onLine
    },
    get isSwitchedOnline() {
      return isSwitchedOnline
    },
    get isServerOn() {
      return isServerOn
    },
    async fetch(request) {
      if (isSwitchedOnline) return fetch(request)
      // A page that loads offline is never told that it went offline.
      setTimeout(() => window.dispatchEvent(new Event('offline')))
      throw new TypeError('This device is offline')
    },
    setOnline(isOnline) {
      isSwitchedOnline = isOnline
      memory.set('offline', isOnline ? undefined : 'yes')
      tellPage()
    },
    async setServerOn(isOn) {
      await switchServer({
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ isStopped: !isOn }),
      })
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
