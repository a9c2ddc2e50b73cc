import { describe, expect, test, vi } from 'vitest'
import { isWaymarkError, WaymarkError } from '../../../src/base/errors.ts'

describe('WaymarkError', () => {
  test('carries code, details, cause and whether a retry may help', () => {
    const cause = new Error('below')
    const error = new WaymarkError('storage-full', 'Full.', {
      details: { bytes: 1 },
      cause,
      isRetryable: true,
    })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      ...{
        name: 'WaymarkError',
        code: 'storage-full',
        message: 'Full.',
        details: { bytes: 1 },
        isRetryable: true,
      },
    })
    expect(error.cause).toBe(cause)
    const bare = new WaymarkError('closed', 'Closed.')
    expect(bare).toMatchObject({ details: {}, isRetryable: false })
    expect(Object.hasOwn(bare, 'cause')).toBe(false)
  })
})

describe('isWaymarkError', () => {
  test('knows an error of another copy of the library', async () => {
    vi.resetModules()
    const copy = await import('../../../src/base/errors.ts')
    const error = new copy.WaymarkError('closed', 'Closed.')
    expect(error).not.toBeInstanceOf(WaymarkError)
    expect(isWaymarkError(error)).toBe(true)
    expect(isWaymarkError(error, 'closed')).toBe(true)
    expect(isWaymarkError(error, 'storage-full')).toBe(false)
  })

  test('knows nothing else for one', () => {
    for (const value of [
      undefined,
      null,
      'closed',
      1,
      {},
      { code: 'closed' },
      new Error('closed'),
      () => 1,
    ]) {
      expect(isWaymarkError(value)).toBe(false)
    }
  })
})
