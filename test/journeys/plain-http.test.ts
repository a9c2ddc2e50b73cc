import { chromium, firefox } from 'playwright'
import { expect, test } from 'vitest'
import { chromiumFlags, playwrightOptions, requireEngine } from '../support/browsers.ts'
import { createProfile, removeProfile } from '../support/engines.ts'
import { servePage } from '../support/page-server.ts'

/** A name that leads to this machine and, unlike `localhost`, is no secure context over http. */
const host = 'waymark.test'

interface Result {
  isSecure: boolean
  before: object
  outcome: string
  saved: object
  onServer: string
  encrypted: string
}

// WebKitGTK is left out: it takes no name resolution of its own, and /etc/hosts is not a test's to change.
for (const engine of ['chromium', 'firefox'] as const) {
  test(`${engine} keeps and sends a session on a plain-http origin`, async () => {
    const profileDir = createProfile(engine)
    const server = await servePage<Result>('test/journeys/plain-http-page.ts')
    const options = playwrightOptions(engine, requireEngine(engine))
    const launch = () =>
      engine === 'chromium'
        ? chromium.launchPersistentContext(profileDir, {
            ...options,
            args: [...chromiumFlags, `--host-resolver-rules=MAP ${host} 127.0.0.1`],
          })
        : firefox.launchPersistentContext(profileDir, {
            ...options,
            firefoxUserPrefs: { 'network.dns.localDomains': host },
          })
    try {
      for (const visit of [1, 2]) {
        const context = await launch()
        const page = await context.newPage()
        await page.goto(server.url.replace('127.0.0.1', host))
        const seen = () => server.reports.length >= visit
        await server.waitFor(seen, 20_000)
        await context.close()
        expect(server.reports[visit - 1]).toEqual({
          isSecure: false,
          before: visit === 1 ? {} : { one: { visit: 1 } },
          outcome: 'moved',
          saved: expect.objectContaining({ device: 'strict' }),
          onServer: 'saved',
          encrypted: 'encryption-unavailable',
        })
      }
    } finally {
      await server.close()
      removeProfile(profileDir)
    }
  })
}
