/** What can be wrong with a whole request; each is a `type` of `urn:waymark:problem:<code>`. */
export type ProblemCode =
  | 'account-mismatch'
  | 'body-malformed'
  | 'body-too-large'
  | 'media-type'
  | 'method-not-allowed'
  | 'not-found'
  | 'origin-denied'
  | 'server-failed'
  | 'server-unavailable'
  | 'too-many-items'
  | 'unauthorized'

const titles: Readonly<Record<ProblemCode, readonly [status: number, title: string]>> = {
  'account-mismatch': [403, 'The request names another account than its credentials.'],
  'body-malformed': [400, 'The body is not a sync request.'],
  'body-too-large': [413, 'The body is larger than this server takes.'],
  'media-type': [415, 'The body must be application/json, not compressed.'],
  'method-not-allowed': [405, 'This resource does not take this method.'],
  'not-found': [404, 'There is nothing here.'],
  'origin-denied': [403, 'This origin may not call.'],
  'server-failed': [500, 'The server failed; what was accepted before stays accepted.'],
  'server-unavailable': [503, 'The server cannot answer now; the same request may be sent again.'],
  'too-many-items': [413, 'The request holds more items than this server takes.'],
  unauthorized: [401, 'Sign in first.'],
}

/** An RFC 9457 answer. `detail` names fields and limits, never a value from the request. */
export function problem(
  code: ProblemCode,
  options: { readonly detail?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Response {
  const [status, title] = titles[code]
  const { detail } = options
  const body = {
    type: `urn:waymark:problem:${code}`,
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
  }
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...options.headers },
  })
}
