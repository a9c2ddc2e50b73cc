/**
 * The worker's end: the browser's storage, served to the page that made the worker.
 *
 * Invariants
 * - What is asked is begun in the task its message arrives in, so the order of the calls is the order of the writes.
 * - No error is thrown across: every reply is a value, with the generation of the store.
 * - What the page has given up, or asked of a database that is gone, is not begun.
 */
import { type Endpoint, expose } from 'comlink'
import { type Clock, systemClock } from '../base/clock.ts'
import { WaymarkError } from '../base/errors.ts'
import { openIdbStore } from '../store/idb-store.ts'
import type { Store } from '../store/store.ts'
import { dataGone, faceVersion, type HostFace, type Reply, type Terms, toErrorValue } from './host-face.ts'

export interface HostOptions {
  /** For tests: where the page's calls arrive. Default: the worker's own scope. */
  readonly endpoint?: Endpoint
  readonly clock?: Clock
}

/**
 * Makes this worker the storage of the page that started it. Call it at once in the worker's file, before anything is
 * awaited there: a call that arrives earlier is lost.
 *
 * @example
 * // storage.worker.ts, the whole file
 * import { hostStore } from 'waymark/worker'
 * hostStore()
 */
export function hostStore(options: HostOptions = {}): void {
  const { endpoint, clock = systemClock } = options
  let store: Store | undefined

  const reply = async <T>(ask: () => Promise<T>): Promise<Reply<T>> => {
    const answer = await ask().then(
      (value) => ({ value }),
      (error: unknown) => ({ error: toErrorValue(error) }),
    )
    return { generation: store?.generation ?? 0, ...answer }
  }

  const use = <T>(terms: Terms, ask: (store: Store) => Promise<T>): Promise<Reply<T>> =>
    reply(() => {
      if (store === undefined) return Promise.reject(notOpen())
      if (store.generation !== terms.generation) return Promise.reject(dataGone())
      if (clock.now() > terms.until) return Promise.reject(tooLate())
      return ask(store)
    })

  const face: HostFace = {
    hello: () => faceVersion,
    open: ({ name, isKnown }) =>
      reply(async () => {
        store = await openIdbStore({ name, clock, isKnown })
        return undefined
      }),
    write: (terms, write) => use(terms, (opened) => opened.write(write)),
    read: (terms, ranges) => use(terms, (opened) => opened.read(ranges)),
    close: () =>
      reply(async () => {
        await store?.close()
        return undefined
      }),
  }
  // Comlink gives access to whatever a path leads to: nothing but these five is there.
  expose(Object.freeze(Object.assign(Object.create(null), face)), endpoint)
}

function notOpen(): WaymarkError {
  return new WaymarkError('storage-failed', 'The worker was asked before its storage was open. Try again.', {
    isRetryable: true,
  })
}

function tooLate(): WaymarkError {
  return new WaymarkError('storage-failed', 'The worker came to this too late. It is tried again.', {
    isRetryable: true,
  })
}
