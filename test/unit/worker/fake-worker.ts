/** A Worker without a thread: the real host over a MessageChannel, dead from `terminate()` on. */
import type { Clock } from '../../../src/base/clock.ts'
import type { HostFace } from '../../../src/worker/host-face.ts'
import { hostStore } from '../../../src/worker/host-store.ts'

export interface FakeWorker extends Worker {
  readonly isTerminated: boolean
  /** Calls by name, in the order they were posted. */
  readonly asked: (keyof HostFace)[]
  /** From now on what is posted never arrives. */
  hang(): void
  /** Hands on what `hang` kept back. */
  resume(): void
  /** Fires what a worker fires when a script of its failed. */
  crash(type?: 'error' | 'messageerror'): void
}

export interface FakeWorkerOptions {
  readonly clock: Clock
  /** Nothing listens in it, as where the script did not load. */
  readonly isSilent?: boolean
  /** Listens in place of the host. */
  readonly serve?: (port: MessagePort) => void
}

interface Call {
  readonly path?: (keyof HostFace)[]
}

export function createFakeWorker(options: FakeWorkerOptions): FakeWorker {
  const { clock, isSilent = false } = options
  const { port1, port2 } = new MessageChannel()
  const serve = options.serve ?? ((port) => hostStore({ endpoint: port, clock }))
  const asked: (keyof HostFace)[] = []
  const kept: unknown[] = []
  let isHung = isSilent
  let isTerminated = false
  if (!isSilent) serve(port2)
  const target = new EventTarget()
  port1.addEventListener('message', ({ data }) => {
    if (!isTerminated) target.dispatchEvent(new MessageEvent('message', { data }))
  })
  port1.start()
  return {
    get isTerminated() {
      return isTerminated
    },
    asked,
    onmessage: null,
    onmessageerror: null,
    onerror: null,
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
    dispatchEvent: target.dispatchEvent.bind(target),
    postMessage(message: unknown) {
      const copy = structuredClone(message)
      if (isTerminated) return
      const name = (copy as Call).path?.[0]
      if (name !== undefined) asked.push(name)
      if (isHung) kept.push(copy)
      else port1.postMessage(copy)
    },
    terminate() {
      isTerminated = true
      port1.close()
    },
    hang() {
      isHung = true
    },
    resume() {
      isHung = false
      for (const message of kept.splice(0)) port1.postMessage(message)
    },
    crash(type = 'error') {
      target.dispatchEvent(new Event(type))
    },
  }
}
