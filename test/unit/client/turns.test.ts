import { afterEach, describe, expect, test, vi } from 'vitest'
import { turnsOf } from '../../../src/client/turns.ts'
import { createFakeClock, settle } from '../../support/fake-clock.ts'

afterEach(() => vi.unstubAllGlobals())

/** Web Locks of one origin, exclusive ones only. */
function stubLocks(): { held: string[] } {
  const held: { name: string; rob(): void }[] = []
  const waiting: { name: string; grant(): void }[] = []
  const next = () => {
    const i = waiting.findIndex(({ name }) => held.every((one) => one.name !== name))
    if (i >= 0) waiting.splice(i, 1)[0]!.grant()
  }
  const abort = () => new DOMException('aborted', 'AbortError')
  const request = (name: string, options: LockOptions, run: () => Promise<unknown>) =>
    new Promise((resolve, reject) => {
      const grant = () => {
        const lock = { name, rob: () => reject(abort()) }
        held.push(lock)
        const release = () => {
          if (held.includes(lock)) held.splice(held.indexOf(lock), 1)
          next()
        }
        run().then(resolve, reject).finally(release)
      }
      if (options.steal) {
        for (const lock of held.splice(0)) lock.rob()
        return grant()
      }
      const waiter = { name, grant }
      waiting.push(waiter)
      options.signal?.addEventListener('abort', () => {
        if (!waiting.includes(waiter)) return
        waiting.splice(waiting.indexOf(waiter), 1)
        reject(abort())
      })
      return next()
    })
  vi.stubGlobal('navigator', { locks: { request } })
  return {
    get held() {
      return held.map(({ name }) => name)
    },
  }
}

const never = new AbortController().signal
const deferred = () => {
  let resolve = (_value: string) => {}
  const promise = new Promise<string>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

describe('turns', () => {
  test('are taken one after another, by whoever shares the name', async () => {
    const locks = stubLocks()
    const clock = createFakeClock()
    const [a, b, other] = [turnsOf('x', clock), turnsOf('x', clock), turnsOf('y', clock)]
    const order: string[] = []
    const first = deferred()
    const running = a(never, () => {
      order.push('a')
      return first.promise
    })
    const second = b(never, async () => {
      order.push('b')
      return 'b'
    })
    await other(never, async () => order.push('other'))
    await settle()
    expect(order).toEqual(['a', 'other'])
    first.resolve('a')
    expect([await running, await second]).toEqual(['a', 'b'])
    expect(order).toEqual(['a', 'other', 'b'])
    await settle()
    expect(locks.held).toEqual([])
  })

  test('a holder that does not answer is robbed after a bounded time, and still gets its own result', async () => {
    stubLocks()
    const clock = createFakeClock()
    const frozen = deferred()
    const first = turnsOf('x', clock)(never, () => frozen.promise)
    let hasRun = false
    const second = turnsOf('x', clock)(never, async () => {
      hasRun = true
      return 'second'
    })
    await clock.advance(44_000)
    expect(hasRun).toBe(false)
    await clock.advance(2_000)
    expect(await second).toBe('second')
    frozen.resolve('late')
    expect(await first.catch((error: Error) => error.name)).toBe('late')
  })

  test('one that is stopped while it waits runs at once, to find that out', async () => {
    stubLocks()
    const clock = createFakeClock()
    void turnsOf('x', clock)(never, () => new Promise(() => {}))
    const controller = new AbortController()
    const second = turnsOf('x', clock)(controller.signal, async () => controller.signal.aborted)
    controller.abort()
    expect(await second).toBe(true)
  })

  test('what fails in a turn fails for its caller, once', async () => {
    stubLocks()
    let runs = 0
    const failing = turnsOf('x', createFakeClock())(never, async () => {
      runs += 1
      throw new Error('inside')
    })
    await expect(failing).rejects.toThrow('inside')
    expect(runs).toBe(1)
  })

  test('without locks everyone goes at once', async () => {
    vi.stubGlobal('navigator', {})
    const clock = createFakeClock()
    void turnsOf('x', clock)(never, () => new Promise(() => {}))
    expect(await turnsOf('x', clock)(never, async () => 'second')).toBe('second')
  })
})
