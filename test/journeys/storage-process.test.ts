/**
 * The process that keeps WebKit's databases dies under an open page: the page says so, goes on by itself, and a reload
 * finds everything it showed as saved.
 */
import { expect, onTestFinished, test } from 'vitest'
import { createProfile, launchEngine, removeProfile } from '../support/engines.ts'
import { servePage } from '../support/page-server.ts'

interface Report {
  round: number
  type: 'restored' | 'saved' | 'finished' | 'failed'
  n?: number
  message?: string
  typed?: number
  finished?: number[]
  problems?: string[]
}

test('webkit: answers go on being saved after its storage process was killed', async () => {
  const server = await servePage<Report>('test/faults/typing-page.ts')
  const profileDir = createProfile('webkit')
  const url = (round: number) => `${server.url}?round=${round}&from=${round * 1_000_000}`
  const browser = await launchEngine('webkit', { profileDir, url: url(1) })
  onTestFinished(async () => {
    await browser.kill()
    await server.close()
    removeProfile(profileDir)
  })
  const saved = (count: number) => {
    let seen = 0
    return server.waitFor(({ round, type }) => round === 1 && type === 'saved' && ++seen >= count, 60_000)
  }
  await saved(20)
  const before = server.reports.length
  expect(browser.killPart('WebKitNetworkPr')).toBeGreaterThan(0)
  let after = 0
  await server.waitFor(({ type }) => type === 'saved' && ++after >= before + 40, 60_000)
  const shown = server.reports
    .filter(({ type }) => type === 'saved' || type === 'finished')
    .map(({ n }) => n!)
  expect(server.reports.filter(({ type }) => type === 'failed')).toEqual([])
  await browser.kill()

  const again = await launchEngine('webkit', { profileDir, url: url(2) })
  onTestFinished(() => again.kill())
  const restored = await server.waitFor(({ round, type }) => round === 2 && type !== 'saved', 60_000)
  expect(restored).toMatchObject({ type: 'restored', problems: [] })
  const furthest = Math.max(restored.typed ?? 0, ...(restored.finished ?? []))
  expect(furthest).toBeGreaterThanOrEqual(Math.max(...shown))
  const finished = server.reports
    .filter(({ round, type }) => round === 1 && type === 'finished')
    .map(({ n }) => n)
  expect(restored.finished).toEqual(expect.arrayContaining(finished))
}, 180_000)
