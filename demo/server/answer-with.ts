import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { ReadableStream as NodeStream } from 'node:stream/web'

type Middleware = (
  request: IncomingMessage & { readonly originalUrl?: string | undefined },
  response: ServerResponse,
) => void

/** A web-standard handler as middleware of Node's HTTP server. */
export function answerWith(handler: (request: Request) => Promise<Response>): Middleware {
  return (incoming, outgoing) => {
    handler(toRequest(incoming)).then(
      (response) => send(response, outgoing),
      () => outgoing.writeHead(500).end(),
    )
  }
}

function toRequest(incoming: IncomingMessage & { readonly originalUrl?: string | undefined }): Request {
  const { method = 'GET', headers } = incoming
  const url = new URL(incoming.originalUrl ?? incoming.url ?? '/', `http://${headers.host ?? 'localhost'}`)
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers: fields })
  const body = Readable.toWeb(incoming) as unknown as ReadableStream
  const init: RequestInit & { duplex: 'half' } = { method, headers: fields, body, duplex: 'half' }
  return new Request(url, init)
}

function send(response: Response, outgoing: ServerResponse): void {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) outgoing.end()
  else
    Readable.fromWeb(response.body as unknown as NodeStream)
      .on('error', () => outgoing.destroy())
      .pipe(outgoing)
}
