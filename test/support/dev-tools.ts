import type { Readable, Writable } from 'node:stream'

/** Chromium's DevTools protocol over the two pipes of `--remote-debugging-pipe`: calls only, no events. */
export interface DevTools {
  /** To the browser itself, or to the page that `attach` gave a session for. */
  send<T>(method: string, params?: object, session?: string): Promise<T>
  /** A session with the first page whose address begins so. */
  attach(url: string): Promise<string>
}

/**
 * Playwright has its pages believe they are in focus, and Chromium freezes no page that is: whoever freezes one goes
 * without it.
 */
export function openDevTools(toBrowser: Writable, fromBrowser: Readable): DevTools {
  const waiting = new Map<number, { resolve(result: never): void; reject(error: Error): void }>()
  let calls = 0
  let unread = ''
  fromBrowser.on('data', (text: Buffer) => {
    const messages = (unread + text).split('\0')
    unread = messages.pop()!
    for (const message of messages) {
      const { id, result, error } = JSON.parse(message)
      const call = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) call?.resolve(result as never)
      else call?.reject(new Error(error.message))
    }
  })
  toBrowser.on('error', () => {}) // It is killed now and then: what was asked stays without an answer.

  const send: DevTools['send'] = (method, params = {}, session = undefined) =>
    new Promise((resolve, reject) => {
      const id = ++calls
      waiting.set(id, { resolve, reject })
      toBrowser.write(`${JSON.stringify({ id, method, params, sessionId: session })}\0`)
    })
  return {
    send,
    async attach(url) {
      type Targets = { targetInfos: { targetId: string; type: string; url: string }[] }
      const { targetInfos } = await send<Targets>('Target.getTargets')
      const page = targetInfos.find((target) => target.type === 'page' && target.url.startsWith(url))
      if (page === undefined) throw new Error(`No page is open at ${url}`)
      const params = { targetId: page.targetId, flatten: true }
      return (await send<{ sessionId: string }>('Target.attachToTarget', params)).sessionId
    },
  }
}
