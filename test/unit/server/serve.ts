/** A sync handler as tests call it: the account is the bearer token, everything else is real. */
import {
  protocolVersion,
  type SyncItem,
  type SyncOutcome,
  type SyncResponse,
} from '../../../src/protocol/wire.ts'
import { memoryServerStore } from '../../../src/server/memory-store.ts'
import { createSyncHandler, type SyncHandlerOptions } from '../../../src/server/sync-handler.ts'

export const origin = 'https://app.test'

export function createServer(options: Partial<SyncHandlerOptions> = {}) {
  const store = options.store ?? memoryServerStore()
  const errors: unknown[] = []
  const handler = createSyncHandler({
    store,
    authorize: (request) => accountOf(request),
    onError: (error) => void errors.push(error),
    now: () => 1_790_000_000_000,
    ...options,
  })
  const post = (body: BodyInit, init: { account?: string; headers?: Record<string, string> } = {}) =>
    handler(
      new Request(`${origin}/waymark/sync`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${init.account ?? 'ada'}`,
          'content-type': 'application/json',
          ...init.headers,
        },
        body,
      }),
    )
  const sync = async (items: readonly SyncItem[], account = 'ada'): Promise<readonly SyncOutcome[]> => {
    const response = await post(JSON.stringify({ protocol: protocolVersion, account, items }), { account })
    if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`)
    return ((await response.json()) as SyncResponse).items
  }
  return {
    ...{ handler, store, errors, post, sync },
    one: async (item: SyncItem, account?: string): Promise<SyncOutcome> => (await sync([item], account))[0]!,
    get: (path: string, headers: Record<string, string> = {}) =>
      handler(
        new Request(`${origin}/waymark/${path}`, { headers: { authorization: 'Bearer ada', ...headers } }),
      ),
  }
}

/** The rev of an outcome that must be `accepted`. */
export function revOf(outcome: SyncOutcome): string {
  if (outcome.type !== 'accepted') throw new Error(`Expected accepted, got ${JSON.stringify(outcome)}`)
  return outcome.rev
}

function accountOf(request: Request): { account: string } | undefined {
  const account = request.headers.get('authorization')?.replace('Bearer ', '')
  return account === undefined || account === '' ? undefined : { account }
}
