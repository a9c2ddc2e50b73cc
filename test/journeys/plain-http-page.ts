/**
 * A session on an origin without secure context, for `plain-http.test.ts`: typed into, finished, read back. Encryption,
 * which there is none of here, is refused.
 */
import { createWaymark, defineFlow, isWaymarkError } from 'waymark'
import { memoryBackend } from 'waymark/backends'

const flow = defineFlow({
  id: 'plain',
  title: 'Plain',
  steps: { one: { title: 'One' }, two: { title: 'Two' } },
})
const waymark = createWaymark({ flows: [flow], account: 'u1', backend: memoryBackend() })
const session = await waymark.open('plain')
const before = session.getSnapshot()
session.set('one', { visit: Number((before.answers.one as { visit?: number } | undefined)?.visit ?? 0) + 1 })
const outcome = await session.next()
await session.back()
const onServer = await session.saved('server')
const refused = await createWaymark({ flows: [flow], namespace: 'sealed', encryption: 'browser' })
  .open('plain')
  .catch((error: unknown) => error)
const result = {
  isSecure: globalThis.isSecureContext,
  before: before.answers,
  outcome: outcome.type,
  saved: outcome.saved,
  onServer: onServer.type,
  encrypted: isWaymarkError(refused) ? refused.code : 'opened',
}
await fetch('/report', { method: 'POST', body: JSON.stringify(result) })
