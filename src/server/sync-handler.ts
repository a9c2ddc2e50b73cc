/**
 * The reference sync server: a function from a web-standard Request to a Response, on Node 20, Deno, Bun and Workers.
 *
 *   POST …/sync            a list of items, each judged and written on its own, one outcome each
 *   GET  …/sessions        an account's sessions, without answers
 *   GET  …/sessions/:id    one session with its answers, ETag = rev
 *
 * Invariants
 * - Nothing is read or written for an account but the one `authorize` named.
 * - An item's fate never depends on another item; what a request got accepted stays accepted, and sending the same
 *   request again after any failure is safe.
 * - No answer, and nothing a database said, leaves in a problem, a rejection or a log.
 */

import { isWaymarkError } from '../base/errors.ts'
import { type Random, systemRandom } from '../base/ids.ts'
import type { Flow } from '../flow/definition.ts'
import { protocolVersion, type SyncOutcome, type SyncResponse } from '../protocol/wire.ts'
import { answerItem, type ItemContext } from './answer-item.ts'
import { readEnvelope, readItem } from './check-request.ts'
import { answerPreflight, type CorsOptions, withCors } from './cors.ts'
import { deliver, type OnServerError, type OnSubmit } from './deliver-submissions.ts'
import { defaultLimits, type SyncLimits } from './limits.ts'
import { getSession, listSessions } from './plain-face.ts'
import { problem } from './problem.ts'
import { readJsonBody } from './read-body.ts'
import type { ServerStore } from './store.ts'

export interface SyncHandlerOptions {
  /** Where sessions are kept; the caller opens, migrates and closes it. */
  readonly store: ServerStore
  /**
   * Whose request this is. `undefined` answers 401; a Response is sent as it is; what it throws answers 503. It must
   * not read the body.
   */
  readonly authorize: (
    request: Request,
  ) =>
    | { readonly account: string }
    | Response
    | undefined
    | Promise<{ readonly account: string } | Response | undefined>
  /** Flows to validate finished steps and submits with, matched by id, version and structural hash. What no flow here
   * matches is checked for bounds only and accepted with `validated: false`. Default: none. */
  readonly flows?: readonly Flow[]
  /** Which other origins may call. Default: none, and no CORS header is sent. */
  readonly cors?: CorsOptions
  /** Bounds to change; see {@link SyncLimits} for each default. */
  readonly limits?: Partial<SyncLimits>
  /** Called after a session was submitted and stored, before the push is answered; see {@link OnSubmit}. */
  readonly onSubmit?: OnSubmit
  /** Receives what went wrong inside. Default: its code goes to `console.error`, without cause or details. */
  readonly onError?: OnServerError
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number
  /** Makes the revs. Default: `crypto.getRandomValues`. */
  readonly random?: Random
  /** The path the routes are under, such as `/waymark`. Default: whatever leads them. */
  readonly basePath?: string
  /** What a 503 asks clients to wait, in seconds. Default: 5. */
  readonly retryAfterSeconds?: number
}

/**
 * Creates the sync server as one function. It never rejects: faults are RFC 9457 problems. It holds no state, so any
 * number may run over one store. Requests are bounded one by one; rate limits belong before it.
 *
 * @example
 * const handler = createSyncHandler({ store: postgresStore(fromPool(pool)), authorize: (request) => whoIs(request) })
 */
export function createSyncHandler(options: SyncHandlerOptions): (request: Request) => Promise<Response> {
  const { store, cors, now = Date.now, onSubmit, onError = logCode, retryAfterSeconds = 5 } = options
  const limits: SyncLimits = { ...defaultLimits, ...options.limits }
  const flows = options.flows ?? []
  const context: ItemContext = {
    ...{ store, limits, now, onError, random: options.random ?? systemRandom },
    flowOf: ({ id, version, hash }) =>
      flows.find(({ ref }) => ref.id === id && ref.version === version && ref.hash === hash),
  }

  const sync = async (request: Request, account: string): Promise<Response> => {
    const body = await readJsonBody(request, limits.bodyBytes)
    if (body.type === 'media-type') return problem('media-type')
    if (body.type === 'too-large')
      return problem('body-too-large', { detail: `At most ${limits.bodyBytes} bytes.` })
    if (body.type === 'malformed') return problem('body-malformed', { detail: 'Not JSON in UTF-8.' })
    const envelope = readEnvelope(body.value)
    if ('fault' in envelope) return problem('body-malformed', { detail: `See ${envelope.fault}` })
    if (envelope.account !== account) return problem('account-mismatch')
    if (envelope.items.length > limits.items) {
      return problem('too-many-items', { detail: `At most ${limits.items} items.` })
    }
    const outcomes: SyncOutcome[] = []
    for (const value of envelope.items) {
      const read = readItem(value, limits)
      if ('outcome' in read) {
        outcomes.push(read.outcome)
        continue
      }
      const { outcome, isDone } = await answerItem(account, read.item, context)
      outcomes.push(outcome)
      if (isDone && onSubmit !== undefined) {
        const key = { account, session: outcome.session }
        await deliver(key, await store.submission(key), { store, onSubmit, onError, now })
      }
    }
    const response: SyncResponse = { protocol: protocolVersion, items: outcomes, now: now() }
    return new Response(JSON.stringify(response), {
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    })
  }

  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url)
    const route = routeOf(url.pathname, options.basePath)
    if (route === undefined) return problem('not-found')
    const allowed = route.type === 'sync' ? ['POST'] : route.type === 'list' ? ['GET'] : ['GET', 'DELETE']
    if (!allowed.includes(request.method)) {
      return problem('method-not-allowed', { headers: { allow: allowed.join(', ') } })
    }
    const who = await options.authorize(request)
    if (who === undefined) return problem('unauthorized')
    if (who instanceof Response) return who
    if (route.type === 'sync') return sync(request, who.account)
    if (route.type === 'list') return listSessions(url, store, who.account, limits)
    const key = { account: who.account, session: route.session }
    if (request.method === 'GET') return getSession(request, store, key)
    await store.erase(key, now())
    return new Response(null, { status: 204 })
  }

  return async (request) => {
    const preflight = cors === undefined ? undefined : answerPreflight(request, cors)
    const response =
      preflight ??
      (await answer(request).catch((error: unknown) => {
        onError(error, {})
        if (isWaymarkError(error) && !error.isRetryable) return problem('server-failed')
        return problem('server-unavailable', { headers: { 'retry-after': String(retryAfterSeconds) } })
      }))
    return cors === undefined ? response : withCors(request, response, cors)
  }
}

type Route =
  | { readonly type: 'sync' }
  | { readonly type: 'list' }
  | { readonly type: 'session'; readonly session: string }

function routeOf(pathname: string, basePath: string | undefined): Route | undefined {
  const match = /^(.*?)\/(?:(sync)|(sessions)|sessions\/([A-Za-z0-9][\w.:~-]{0,127}))$/.exec(
    safeDecode(pathname),
  )
  if (match === null) return undefined
  const [, base, isSync, isList, session] = match
  if (basePath !== undefined && base !== basePath.replace(/\/+$/, '')) return undefined
  if (isSync !== undefined) return { type: 'sync' }
  if (isList !== undefined) return { type: 'list' }
  return { type: 'session', session: session! }
}

function safeDecode(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return ''
  }
}

/** A cause may quote a row of the database, so it is left out. */
const logCode: OnServerError = (error) => {
  console.error(`waymark server: ${isWaymarkError(error) ? error.code : 'unexpected error'}`)
}
