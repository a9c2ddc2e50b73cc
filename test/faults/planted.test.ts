/** A simulator that finds nothing proves nothing: what it finds is bugs put into the library on purpose. */
import { describe, expect, test } from 'vitest'
import { bundle } from './bundle.ts'
import { caseFailures, caseNets, findPlant, plants, seedsOf } from './planted/find-plants.ts'
import { runSeeds } from './run-seeds.ts'

describe.concurrent('a library is found out that', () => {
  test.each(plants)('$name', async (plant) => {
    expect(await findPlant(plant, 1)).toMatchObject({ name: plant.name })
  })
})

test('the library as it is passes the same seeds and cases', async () => {
  const script = await bundle('test/faults/seeds-worker.ts')
  const failures = []
  for (const range of plants.flatMap((plant) => seedsOf(plant) ?? [])) {
    failures.push(
      ...(await runSeeds({ ...range, script, workers: 2, isShrunk: true, mostFailures: 1 })).failures,
    )
  }
  expect(failures).toEqual([])
  for (const net of caseNets) expect(await caseFailures(net)).toEqual([])
})

describe('bundle', () => {
  const file = 'src/base/clock.ts'

  test('refuses a patch of what is not there, or there twice, or not bundled', async () => {
    const bundled = (patch: { file: string; find: string }) =>
      bundle('test/faults/seeds-worker.ts', [{ ...patch, replace: '' }])
    await expect(bundled({ file, find: 'never written' })).rejects.toThrow('has 0 times, not once')
    await expect(bundled({ file, find: 'now' })).rejects.toThrow('times, not once')
    await expect(bundled({ file: 'src/react.ts', find: 'export' })).rejects.toThrow(
      'is not part of the bundle',
    )
  })
})
