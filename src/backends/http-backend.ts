/**
 * The Backend over HTTP: one `POST {url}/sync` per exchange, and a verdict on everything that can come back.
 *
 * Invariants
 * - `answered` only after the whole body was read and every outcome in it is well-formed and about the item asked.
 * - What another attempt may cure is `unreachable`; `refused` stops syncing, so it is kept for what only a change of
 *   client or server can cure, said by the server and not by something in between.
 * - No reason carries an answer, a header's value or a body: statuses and fixed words only.
 */
import { type Clock, systemClock } from '../base/clock.ts'
import { WaymarkError } from '../base/errors.ts'
import type { Backend, ExchangeOutcome } from '../protocol/backend.ts'
import { protocolVersion, type SyncItem, type SyncRequest } from '../protocol/wire.ts'
import { readResponse } from './read-response.ts'
import { retryAfterMs } from './retry-after.ts'

export type HttpHeaders = Readonly<Record<string, string>>

export interface HttpBackendOptions {
  /** Where the sync handler is mounted, without `/sync`. Relative URLs are the page's. */
  readonly url: string
  /** Sent with every request; a function is called per request and may fetch a token for that account. Default: none. */
  readonly headers?:
    | HttpHeaders
    | ((context: { readonly account: string }) => HttpHeaders | Promise<HttpHeaders>)
  /** Whether cookies are sent. Default: `same-origin`. */
  readonly credentials?: RequestCredentials
  /** Default: the global `fetch`, looked up per request. */
  readonly fetch?: (request: Request) => Promise<Response>
  /**
   * Called on a 401; where it resolves `true` (signed in again) the request is made once more. Exchanges that meet
   * a 401 while one call is under way share it. Default: none.
   */
  readonly onUnauthorized?: (context: { readonly account: string }) => boolean | Promise<boolean>
  /** Until the whole answer is read, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number
  /** Default: the machine's own clock. */
  readonly clock?: Clock
}

/**
 * Syncs with a server that speaks the HTTP protocol (`createSyncHandler`, or one of your own). Redirects are not
 * followed, so answers go to `url` and nowhere else. It never throws and keeps no state.
 *
 * | what comes back | outcome | why |
 * |---|---|---|
 * | 2xx, a well-formed answer to these items | `answered` | |
 * | 2xx, anything else: HTML of a captive portal, cut, wrong count or session, unknown outcome | `unreachable` | not the server's word |
 * | a redirect, no connection, timeout, abort | `unreachable` | |
 * | 401 | `unauthorized` | after `onUnauthorized` was asked once |
 * | 400, 402, 403, 406, 410–412, 414–417, 422, 426, 428, 431, 451 | `refused` | the same request meets the same answer |
 * | 413 | `refused` | even as a proxy's HTML: smaller is the only cure |
 * | any other refusal whose body is HTML | `unreachable` | a proxy or firewall spoke; another network may not have it |
 * | 404, 405 | `unreachable` | a deploy under way, a wrong mount: heals without this client |
 * | 407, 408, 409, 421, 423, 424, 425, 429 | `unreachable` | says itself that it passes |
 * | 5xx | `unreachable` | |
 *
 * `Retry-After`, seconds or a date, is handed on with every `unreachable`.
 *
 * @example
 * httpBackend({ url: '/waymark', headers: async () => ({ authorization: `Bearer ${await token()}` }) })
 */
export function httpBackend(options: HttpBackendOptions): Backend {
  const { credentials = 'same-origin', timeoutMs = 30_000, clock = systemClock } = options
  const url = `${options.url.replace(/\/+$/, '')}/sync`
  let signIn: Promise<boolean> | undefined

  const askToSignIn = (account: string): Promise<boolean> => {
    if (options.onUnauthorized === undefined) return Promise.resolve(false)
    signIn ??= Promise.resolve({ account })
      .then(options.onUnauthorized)
      .then(
        (isSignedIn) => isSignedIn === true,
        () => false,
      )
      .finally(() => {
        signIn = undefined
      })
    return signIn
  }

  const attempt = async (account: string, items: readonly SyncItem[], signal: AbortSignal) => {
    let headers: HttpHeaders
    try {
      headers =
        (typeof options.headers === 'function' ? await options.headers({ account }) : options.headers) ?? {}
    } catch {
      return unreachable('the headers could not be made')
    }
    const body: SyncRequest = { protocol: protocolVersion, account, items }
    try {
      const request = new Request(url, {
        method: 'POST',
        headers: { accept: 'application/json', ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(body),
        credentials,
        redirect: 'error',
        cache: 'no-store',
        signal,
      })
      const response = await (options.fetch ?? globalThis.fetch)(request)
      return verdictOf(response, await response.text(), items, clock.now())
    } catch {
      return unreachable('no answer')
    }
  }

  return {
    async erase(session, { account, signal }) {
      const headers =
        typeof options.headers === 'function' ? await options.headers({ account }) : options.headers
      const target = `${url.slice(0, -'/sync'.length)}/sessions/${encodeURIComponent(session)}`
      const request = new Request(target, {
        ...{ method: 'DELETE', credentials, redirect: 'error', cache: 'no-store', signal },
        headers: headers ?? {},
      })
      const { status } = await (options.fetch ?? globalThis.fetch)(request)
      if (status === 204) return
      throw new WaymarkError('not-erased', `The server answered HTTP ${status}.`, { isRetryable: true })
    },
    async exchange(items, { account, signal }) {
      const run = () =>
        withTimeout({ signal, timeoutMs, clock }, (attemptSignal) => attempt(account, items, attemptSignal))
      const outcome = await run()
      return outcome.type === 'unauthorized' && (await askToSignIn(account)) ? run() : outcome
    },
  }
}

const refusedStatuses: ReadonlySet<number> = new Set([
  400, 402, 403, 406, 410, 411, 412, 414, 415, 416, 417, 422, 426, 428, 431, 451,
])

function verdictOf(
  response: Response,
  text: string,
  items: readonly SyncItem[],
  now: number,
): ExchangeOutcome {
  const { status, headers } = response
  if (response.ok) {
    const answer = readResponse(text, items)
    if (answer !== undefined) return { type: 'answered', outcomes: answer.items, serverNow: answer.now }
    return unreachable(`HTTP ${status} without a usable answer`, retryAfterMs(headers, now))
  }
  if (status === 401) return { type: 'unauthorized' }
  const isHtml = headers.get('content-type')?.includes('text/html') ?? false
  if (status === 413 || (refusedStatuses.has(status) && !isHtml)) {
    return { type: 'refused', reason: `HTTP ${status}`, status }
  }
  return unreachable(`HTTP ${status}`, retryAfterMs(headers, now))
}

/** Runs with a signal that also ends on time, and answers then even if `run` does not heed it. */
async function withTimeout(
  options: { readonly signal: AbortSignal; readonly timeoutMs: number; readonly clock: Clock },
  run: (signal: AbortSignal) => Promise<ExchangeOutcome>,
): Promise<ExchangeOutcome> {
  const { signal, timeoutMs, clock } = options
  if (signal.aborted) return unreachable('aborted')
  const controller = new AbortController()
  let end: (reason: string) => void = () => {}
  const ended = new Promise<ExchangeOutcome>((resolve) => {
    end = (reason) => {
      resolve(unreachable(reason))
      controller.abort()
    }
  })
  const onAbort = () => end('aborted')
  signal.addEventListener('abort', onAbort, { once: true })
  const cancel = clock.after(timeoutMs, () => end('timed out'))
  try {
    return await Promise.race([ended, run(controller.signal)])
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
}

function unreachable(reason: string, retryAfter?: number): ExchangeOutcome {
  return {
    type: 'unreachable',
    reason,
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }),
  }
}
