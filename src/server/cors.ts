import { problem } from './problem.ts'

export interface CorsOptions {
  /** Origins that may call, exactly as browsers send them, or a function that decides. */
  readonly origins: readonly string[] | ((origin: string) => boolean)
  /** Whether cookies may be sent along. Default: false. */
  readonly credentials?: boolean
  /** Request headers allowed besides `content-type`. Default: `authorization`. */
  readonly headers?: readonly string[]
  /** How long a browser may remember a preflight, in seconds. Default: 600. */
  readonly maxAgeSeconds?: number
}

/** The answer to a preflight; `undefined` where the request is none. */
export function answerPreflight(request: Request, cors: CorsOptions): Response | undefined {
  if (request.method !== 'OPTIONS' || !request.headers.has('access-control-request-method')) return undefined
  if (!isAllowed(request, cors)) return problem('origin-denied')
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': ['content-type', ...(cors.headers ?? ['authorization'])].join(', '),
      'access-control-max-age': String(cors.maxAgeSeconds ?? 600),
    },
  })
}

/** A copy of `response` that the asking origin may read, if it is allowed to; caches keep origins apart either way. */
export function withCors(request: Request, response: Response, cors: CorsOptions): Response {
  const headers = new Headers(response.headers)
  headers.append('vary', 'Origin')
  if (isAllowed(request, cors)) {
    headers.set('access-control-allow-origin', request.headers.get('origin')!)
    headers.set('access-control-expose-headers', 'ETag, Retry-After')
    if (cors.credentials === true) headers.set('access-control-allow-credentials', 'true')
  }
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers })
}

function isAllowed(request: Request, { origins }: CorsOptions): boolean {
  const origin = request.headers.get('origin')
  if (origin === null) return false
  return typeof origins === 'function' ? origins(origin) : origins.includes(origin)
}
