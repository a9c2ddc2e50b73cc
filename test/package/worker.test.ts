/** The inline worker as it is published: the text the build put into the worker door. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'

const door = fileURLToPath(new URL('../../dist/worker.js', import.meta.url))
afterEach(() => vi.unstubAllGlobals())

/** What a worker made by the built `inlineWorker()` would run. */
async function publishedScript(): Promise<string> {
  const blobs: Blob[] = []
  vi.stubGlobal('Worker', class {})
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    blobs.push(blob as Blob)
    return 'blob:script'
  })
  const { inlineWorker } = (await import(/* @vite-ignore */ door)) as typeof import('waymark/worker')
  const make = inlineWorker()
  expect(blobs).toEqual([])
  make()
  make()
  expect(blobs).toHaveLength(1)
  return blobs[0]!.text()
}

describe('the inline worker of the build', () => {
  test('is one classic script that listens at once', async () => {
    const listening: string[] = []
    const scope = createContext({ addEventListener: (type: string) => listening.push(type) })
    runInContext(await publishedScript(), scope)
    expect(listening).toEqual(['message'])
    expect(Object.keys(scope)).toEqual(['addEventListener'])
  })

  test('works where eval is forbidden', async () => {
    const everything = (await publishedScript()) + readFileSync(door, 'utf8')
    expect(everything).not.toMatch(/\beval\(|new Function\(|\bimportScripts\b/)
    expect(everything).not.toContain('WAYMARK_HOST_SCRIPT')
  })
})
