import { currentRev, type SessionKey } from '../protocol/held.ts'
import type { WireMeta } from '../protocol/wire.ts'
import { parseJson } from '../record/guard.ts'
import { fromParts } from '../record/parts.ts'
import { answersOf } from './deliver-submissions.ts'
import type { SyncLimits } from './limits.ts'
import { problem } from './problem.ts'
import type { ServerStore } from './store.ts'

const privateHeaders = { 'cache-control': 'private, no-cache', 'content-type': 'application/json' }

/** `GET sessions/:id`: one session with its answers parsed, for clients that do not sync. */
export async function getSession(request: Request, store: ServerStore, key: SessionKey): Promise<Response> {
  const held = await store.read(key, null)
  if (held === undefined) return problem('not-found')
  const etag = `"${currentRev(held)}"`
  const asked = request.headers.get('if-none-match') ?? ''
  // Proxies that compress weaken a tag; for a conditional GET weak tags compare the same (RFC 9110, 13.1.2).
  const isHeld = asked.split(',').some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')))
  if (isHeld)
    return new Response(null, { status: 304, headers: { etag, 'cache-control': 'private, no-cache' } })
  const submission = held.meta.status === 'done' ? await store.submission(key) : undefined
  const parts = Object.fromEntries(
    held.steps.flatMap(({ step, text }) => (text === null ? [] : [[step, parseJson(text)]])),
  )
  const { answers, conflicts } = fromParts(parts)
  const body = {
    ...summary(key.session, currentRev(held), held.meta),
    finished: held.meta.finished,
    answers,
    ...(conflicts === undefined ? {} : { conflicts: Object.values(conflicts) }),
    ...(submission === undefined
      ? {}
      : {
          submission: { at: submission.at, validated: submission.validated, answers: answersOf(submission) },
        }),
  }
  return new Response(JSON.stringify(body), { headers: { ...privateHeaders, etag } })
}

/** `GET sessions?limit=&after=`: an account's sessions by id; `next` is the `after` of the next page. */
export async function listSessions(
  url: URL,
  store: ServerStore,
  account: string,
  limits: SyncLimits,
): Promise<Response> {
  const asked = Number(url.searchParams.get('limit') ?? limits.listed)
  const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, limits.listed) : limits.listed
  const after = /^[\w.:~-]{0,128}$/.exec(url.searchParams.get('after') ?? '')?.[0] ?? ''
  const found = await store.list(account, { limit: limit + 1, after })
  const sessions = found.slice(0, limit).map(({ session, rev, meta, savedAt }) => ({
    ...summary(session, rev, meta),
    savedAt,
  }))
  const next = found.length > limit ? sessions[sessions.length - 1]?.session : undefined
  return new Response(JSON.stringify({ sessions, ...(next === undefined ? {} : { next }) }), {
    headers: privateHeaders,
  })
}

function summary(session: string, rev: string, { flow, key, status, step }: WireMeta) {
  return { session, rev, flow, key, status, step }
}
