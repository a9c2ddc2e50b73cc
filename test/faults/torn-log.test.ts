/**
 * Chromium's LevelDB writes a record's head and its body one after the other. Killed in between it leaves a torn end,
 * goes on writing behind it after the next start, and at the start after that finds "checksum mismatch" and deletes the
 * whole database of the origin. About one kill in a thousand hits that moment; here every one does.
 */
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createProfile, launchEngine, removeProfile } from '../support/engines.ts'
import { servePage } from '../support/page-server.ts'
import { acknowledgements, firstReport, judge, note, pageOf, type Report } from './browser-rounds.ts'

test('chromium killed while it wrote keeps what is saved after the next start', async () => {
  const server = await servePage<Report>('test/faults/typing-page.ts')
  const profileDir = createProfile('chromium')
  onTestFinished(async () => {
    await server.close()
    removeProfile(profileDir)
  })
  const shown = { typed: new Set<number>(), finished: new Set<number>() }
  for (let round = 1; round <= 4; round++) {
    const browser = await launchEngine('chromium', { profileDir, url: pageOf(server, round) })
    onTestFinished(() => browser.kill())
    const restored = await firstReport(server, round)
    expect(judge(restored!, shown, round * 1_000_000)).toEqual({ lost: 0, doubled: 0, violations: [] })
    await acknowledgements(server, round)
    await browser.kill()
    note(server.reports, round, shown)
    tearLog(profileDir)
  }
  expect(shown.typed.size).toBeGreaterThan(60)
})

/** The head of a record of 400 bytes that never came: checksum, length, type. */
function tearLog(profileDir: string): void {
  const folder = join(profileDir, 'Default', 'IndexedDB')
  const database = readdirSync(folder).find((name) => name.endsWith('.leveldb'))!
  const logs = readdirSync(join(folder, database)).filter((name) => name.endsWith('.log'))
  const newest = logs.sort().at(-1)!
  appendFileSync(join(folder, database, newest), Buffer.from([1, 2, 3, 4, 0x90, 0x01, 1]))
}
