/**
 * Someone at a browser, whatever the engine: looks for things on the page, types, clicks, and can have the whole
 * browser killed. Elements are named by CSS selectors.
 */
import { createServer, request as httpRequest, type Server } from 'node:http'
import { type Engine, launchEngine, openPage } from './engines.ts'
import { keys, openWebDriver, waitUntil } from './webdriver.ts'

export interface Person {
  /** Waits until the element is shown and, where given, its text matches. Resolves with the text. */
  see(selector: string, text?: RegExp, withinMs?: number): Promise<string>
  type(selector: string, text: string): Promise<void>
  click(selector: string): Promise<void>
  /** Picks an option of a select by its value. */
  pick(selector: string, value: string): Promise<void>
  valueOf(selector: string): Promise<string>
  /** SIGKILL to the whole browser. */
  kill(): Promise<void>
}

const patienceMs = 20_000

/** Someone at an engine on a profile that stays on disk. */
export function sitDown(engine: Engine, profileDir: string, url: string): Promise<Person> {
  return engine === 'webkit' ? atScriptedWebKit(profileDir, url) : atPlaywright(engine, profileDir, url)
}

async function atPlaywright(
  engine: 'chromium' | 'firefox',
  profileDir: string,
  url: string,
): Promise<Person> {
  const { page, kill } = await openPage(engine, { profileDir })
  await page.goto(url)
  return {
    async see(selector, text = /(?:)/, withinMs = patienceMs) {
      const found = page.locator(selector).filter({ hasText: text }).filter({ visible: true }).first()
      await found.waitFor({ timeout: withinMs })
      return found.innerText()
    },
    async type(selector, text) {
      await page.locator(selector).first().press('End')
      await page.locator(selector).first().pressSequentially(text)
    },
    async click(selector) {
      await page.locator(selector).first().click()
    },
    async pick(selector, value) {
      await page.locator(selector).first().selectOption(value)
    },
    valueOf: (selector) => page.locator(selector).first().inputValue(),
    kill,
  }
}

/** Someone at an automated WebKit with real keys: it keeps nothing on disk, so there is nothing to kill. */
export async function sitAtEphemeralWebKit(url: string): Promise<Person> {
  const driver = await openWebDriver()
  await driver.open(url)
  const look = (selector: string) =>
    driver.execute<string | null>(
      `const found = [...document.querySelectorAll(arguments[0])].find((one) => one.checkVisibility());
       return found ? found.innerText : null`,
      selector,
    )
  return {
    async see(selector, text = /(?:)/, withinMs = patienceMs) {
      let seen: string | null = null
      await waitUntil(async () => {
        seen = await look(selector)
        if (seen === null || !text.test(seen))
          throw new Error(`${selector} shows ${JSON.stringify(seen)}, not ${text}`)
        return true
      }, withinMs)
      return seen!
    },
    async type(selector, text) {
      await driver.type(await driver.find(selector), text)
    },
    async click(selector) {
      const element = await driver.find(selector)
      await waitUntil(async () => {
        await driver.execute(
          "document.querySelector(arguments[0]).scrollIntoView({ block: 'center' })",
          selector,
        )
        await driver.click(element)
        return true
      }, patienceMs)
    },
    async pick(selector, value) {
      const index = await driver.execute<number>(
        'return [...document.querySelector(arguments[0]).options].findIndex((o) => o.value === arguments[1])',
        selector,
        value,
      )
      await driver.execute('document.querySelector(arguments[0]).focus()', selector)
      for (let i = 0; i < index; i++) await driver.press(keys.arrowDown)
      const picked = await driver.execute<string>(
        'return document.querySelector(arguments[0]).value',
        selector,
      )
      if (picked !== value) {
        // GTK opens its own menu on arrow keys: choose as the menu would.
        await driver.press(keys.enter)
        await driver.execute(
          `const select = document.querySelector(arguments[0]); select.value = arguments[1];
           for (const type of ['input', 'change']) select.dispatchEvent(new Event(type, { bubbles: true }))`,
          selector,
          value,
        )
      }
    },
    valueOf: (selector) => driver.execute('return document.querySelector(arguments[0]).value', selector),
    kill: () => driver.close(),
  }
}

interface Order {
  readonly id: number
  readonly script: string
  readonly args: readonly string[]
}

/**
 * A MiniBrowser on disk cannot be automated, so the page is served through a proxy that adds a script which asks for
 * orders and carries them out through native setters and events.
 */
async function atScriptedWebKit(profileDir: string, url: string): Promise<Person> {
  const orders: Order[] = []
  const waiting = new Map<number, { resolve: (value: string) => void; reject: (error: Error) => void }>()
  const hands = await servePuppet(
    url,
    () => orders.shift(),
    ({ id, value, error }) => {
      const order = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) order?.resolve(value ?? '')
      else order?.reject(new Error(error))
    },
  )
  const browser = await launchEngine('webkit', { profileDir, url: hands.url })
  let next = 0
  const order = (script: string, ...args: string[]) =>
    new Promise<string>((resolve, reject) => {
      const id = next++
      waiting.set(id, { resolve, reject })
      orders.push({ id, script, args })
    })
  return {
    async see(selector, text = /(?:)/, withinMs = patienceMs) {
      let seen = ''
      await waitUntil(async () => {
        seen = await order('see', selector)
        if (!text.test(seen)) throw new Error(`${selector} shows ${JSON.stringify(seen)}, not ${text}`)
        return true
      }, withinMs)
      return seen
    },
    type: async (selector, text) => void (await order('type', selector, text)),
    click: async (selector) => void (await order('click', selector)),
    pick: async (selector, value) => void (await order('pick', selector, value)),
    valueOf: (selector) => order('valueOf', selector),
    async kill() {
      await browser.kill()
      await hands.close()
    },
  }
}

const puppetPorts = new Map<string, number>()

/** One origin per demo, so that a browser started again finds its data: the port is kept. */
async function servePuppet(
  target: string,
  nextOrder: () => Order | undefined,
  onDone: (done: { id: number; value?: string; error?: string }) => void,
): Promise<{ url: string; close(): Promise<void> }> {
  const server: Server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/'
    if (path === '/puppet/script.js') {
      outgoing.writeHead(200, { 'content-type': 'text/javascript' }).end(puppetScript)
    } else if (path === '/puppet/next') {
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(nextOrder() ?? null))
    } else if (path === '/puppet/done') {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('end', () => {
        onDone(JSON.parse(Buffer.concat(chunks).toString()))
        outgoing.writeHead(204).end()
      })
    } else {
      const onward = httpRequest(
        new URL(path, target),
        { method: incoming.method, headers: { ...incoming.headers, 'accept-encoding': 'identity' } },
        (answer) => {
          const isPage = answer.headers['content-type']?.includes('text/html') ?? false
          const { 'content-length': length, ...headers } = answer.headers
          outgoing.writeHead(
            answer.statusCode ?? 502,
            isPage || length === undefined ? headers : answer.headers,
          )
          if (!isPage) return answer.pipe(outgoing)
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('end', () => {
            const html = Buffer.concat(chunks).toString()
            outgoing.end(
              html.replace('</body>', '<script type="module" src="/puppet/script.js"></script></body>'),
            )
          })
          return undefined
        },
      )
      onward.on('error', () => outgoing.writeHead(502).end())
      incoming.pipe(onward)
    }
  })
  await new Promise<void>((resolve) => server.listen(puppetPorts.get(target) ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  puppetPorts.set(target, port)
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const puppetScript = `
const shown = (selector) => {
  const found = [...document.querySelectorAll(selector)].find((one) => one.checkVisibility())
  if (!found) throw new Error(selector + ' is not shown')
  return found
}
const write = (element, value) => {
  const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), 'value')
  set.call(element, value)
  element.dispatchEvent(new InputEvent('input', { bubbles: true }))
}
const scripts = {
  see: (selector) => shown(selector).innerText,
  async type(selector, text) {
    const element = shown(selector)
    element.focus()
    for (const letter of text) {
      write(element, element.value + letter)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  },
  click(selector) {
    const element = shown(selector)
    element.focus()
    element.click()
  },
  pick(selector, value) {
    const element = shown(selector)
    element.focus()
    write(element, value)
    element.dispatchEvent(new Event('change', { bubbles: true }))
  },
  valueOf: (selector) => shown(selector).value,
}
const send = (body) => fetch('/puppet/done', { method: 'POST', body: JSON.stringify(body) })
for (;;) {
  const order = await fetch('/puppet/next').then((response) => response.json(), () => null)
  if (order === null) {
    await new Promise((resolve) => setTimeout(resolve, 15))
    continue
  }
  try {
    await send({ id: order.id, value: (await scripts[order.script](...order.args)) ?? '' })
  } catch (error) {
    await send({ id: order.id, error: String(error) })
  }
}
`
