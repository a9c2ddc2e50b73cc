type Handler = (request: Request) => Promise<Response>

const retryAfterSeconds = 5

export interface Switch {
  /** The handler while the switch is on; off, a server that answers 503 and asks for patience. */
  whileOn(handler: Handler): Handler
  /** `GET` and `POST` of `{ "isStopped": boolean }`: what the page's "Stop the server" does. */
  readonly control: Handler
}

/** Lets a visitor stop the sync server and start it again. Every start of the process finds it on. */
export function createSwitch(): Switch {
  let isStopped = false
  const state = () => Response.json({ isStopped }, { headers: { 'cache-control': 'no-store' } })
  return {
    whileOn: (handler) => async (request) =>
      isStopped
        ? new Response(JSON.stringify({ title: 'Stopped by a visitor of the demo', status: 503 }), {
            status: 503,
            headers: {
              'content-type': 'application/problem+json',
              'retry-after': String(retryAfterSeconds),
            },
          })
        : handler(request),
    async control(request) {
      if (request.method === 'GET') return state()
      if (request.method !== 'POST')
        return new Response(null, { status: 405, headers: { allow: 'GET, POST' } })
      const wish = (await request.json().catch(() => undefined)) as { isStopped?: unknown } | undefined
      if (typeof wish?.isStopped !== 'boolean') return new Response(null, { status: 400 })
      isStopped = wish.isStopped
      return state()
    },
  }
}
