import { httpBackend } from '../../src/backends/http-backend.ts'
import type { Backend } from '../../src/protocol/backend.ts'
import type { ServerStore } from '../../src/server/store.ts'
import { createSyncHandler } from '../../src/server/sync-handler.ts'

/** The HTTP backend with the sync handler at the other end of its `fetch`, for any account. */
export function overHttp(store: ServerStore): Backend {
  const handler = createSyncHandler({
    store,
    authorize: (request) => ({ account: request.headers.get('x-account')! }),
  })
  return httpBackend({
    url: 'https://app.test/waymark/',
    headers: async ({ account }) => ({ 'x-account': account }),
    async fetch(request) {
      // Firefox gives a Request no stream of its body, which no server would go without.
      const { body } = new Response(await request.text())
      const { url, method, headers } = request
      return handler({ url, method, headers, body } as Request)
    },
  })
}
