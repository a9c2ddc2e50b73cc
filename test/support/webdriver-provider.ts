/** A Vitest browser provider for WebKitGTK over plain WebDriver: tests run in the page, without user-event commands. */
import { defineBrowserProvider } from '@vitest/browser'
import type { BrowserProviderOption } from 'vitest/node'
import { openWebDriver, type WebDriver } from './webdriver.ts'

export function webdriver(): BrowserProviderOption {
  return defineBrowserProvider({
    name: 'webdriver',
    supportedBrowser: ['webkit'],
    options: {},
    providerFactory() {
      let driver: Promise<WebDriver> | undefined
      return {
        name: 'webdriver',
        supportsParallelism: false,
        getCommandsContext: () => ({}),
        async openPage(_sessionId: string, url: string) {
          driver ??= openWebDriver()
          await (await driver).open(url)
        },
        async close() {
          const open = driver
          driver = undefined
          await (await open)?.close()
        },
      }
    },
  })
}
