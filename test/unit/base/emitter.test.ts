import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createEmitter } from '../../../src/base/emitter.ts'

describe('createEmitter', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('calls every listener although one throws, and what it threw surfaces', () => {
    const emitter = createEmitter<number>()
    const heard: string[] = []
    emitter.on((value) => heard.push(`a${value}`))
    emitter.on(() => {
      throw new Error('mine')
    })
    emitter.on((value) => heard.push(`b${value}`))
    emitter.emit(1)
    expect(heard).toEqual(['a1', 'b1'])
    expect(() => vi.runAllTimers()).toThrow('mine')
  })

  test('keeps a listener that was added twice until both are removed', () => {
    const emitter = createEmitter<number>()
    const listener = vi.fn()
    const first = emitter.on(listener)
    const second = emitter.on(listener)
    expect(emitter.size).toBe(2)
    first()
    first()
    emitter.emit(1)
    expect(listener).toHaveBeenCalledTimes(1)
    second()
    expect(emitter.size).toBe(0)
  })

  test('lets listeners come and go while it emits', () => {
    const emitter = createEmitter<number>()
    const late = vi.fn()
    const remove = emitter.on(() => {
      remove()
      emitter.on(late)
    })
    emitter.emit(1)
    expect(late).not.toHaveBeenCalled()
    emitter.emit(2)
    expect(late).toHaveBeenCalledExactlyOnceWith(2)
  })
})
