import { describe, expect, test } from 'vitest'
import type { Variant } from '../support/engines.ts'
import { type FaultName, namedFaults, runFault } from './browser-named-faults.ts'

const failed = ['At risk: storage-failed', 'Saved on this device']
/** What a person may be told on the way, beside that it is saved; nothing where nothing keeps the page from saving. */
const toldMeanwhile: Record<FaultName, readonly (readonly string[])[]> = {
  'page-crash': [[]],
  'frozen-tab': [[]],
  'disk-full': [['At risk: storage-full', 'Saved on this device']],
  'database-deleted': [failed],
  // WebKit's takes the database along; a quick replacement shows as a longer "Saving" only.
  'storage-process-killed': [[], failed],
  'gpu-process-killed': [[]],
}

/** Chromium looks at the quota every half minute: once is enough. */
const isSlow = (fault: FaultName, variant: Variant) => fault === 'disk-full' && variant === 'chromium-sqlite'

describe('what was called saved is there after, and the page said when it could not save', () => {
  const cases = namedFaults
    .flatMap((fault) => fault.variants.map((variant) => ({ fault, variant })))
    .filter(({ fault, variant }) => !isSlow(fault.name, variant))
  test.each(cases)('$fault.name in $variant', async ({ fault, variant }) => {
    const { acknowledged, saw, ...wrong } = await runFault(fault, variant)
    expect(wrong).toEqual({ lost: 0, doubled: 0, violations: [] })
    expect(acknowledged).toBeGreaterThanOrEqual(40)
    const told = saw.filter((words) => !/^\[|^in the other/.test(words))
    expect(toldMeanwhile[fault.name]).toContainEqual(told.slice(1))
  })
})
