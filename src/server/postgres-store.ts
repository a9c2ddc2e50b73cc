import { WaymarkError } from '../base/errors.ts'
import { countOf, type HeldSession, type HeldStep } from '../protocol/held.ts'
import { entryId } from '../record/entry.ts'
import { isJsonbLegal, migrateSchema } from './postgres-schema.ts'
import type { Sql, SqlResult, SqlValue } from './sql.ts'
import type { ServerStore, SessionSummary, Submission } from './store.ts'

/** A {@link ServerStore} in PostgreSQL. */
export interface PostgresStore extends ServerStore {
  /** Creates the tables that are missing; safe to call at every start, by several servers at once. */
  migrate(): Promise<void>
}

/**
 * Keeps sessions in PostgreSQL 14 or later, or PGlite, in tables named `waymark_*`. A push is two statements: one
 * reads what it needs, one writes it all behind a guard on the session's rev, which is also its row lock. Call
 * `migrate()` before the first request. It opens and closes no connection.
 */
export function postgresStore(sql: Sql): PostgresStore {
  const query = async (text: string, params: readonly SqlValue[]) => {
    try {
      return (await sql.query(text, params)).rows
    } catch (error) {
      throw storageFailed(error)
    }
  }

  /** A first push and an erasure of one session come one after the other: neither finds a row to lock. */
  const inTurn = async (
    key: readonly [string, string],
    run: (tx: Pick<Sql, 'query'>) => Promise<SqlResult>,
  ) => {
    try {
      return await sql.transaction(async (tx) => {
        await tx.query(turnText, key)
        return (await run(tx)).rows
      })
    } catch (error) {
      throw storageFailed(error)
    }
  }

  return {
    migrate: () => migrateSchema(sql).catch((error: unknown) => Promise.reject(storageFailed(error))),
    async load({ account, session }, { entries, steps }) {
      const keys = JSON.stringify(entries)
      const [row] = await query(loadText, [account, session, keys, JSON.stringify(steps)])
      if (row === undefined) return undefined
      const marks = parse<[string, number, string, string][]>(row['entries'])
      const stamps = parse<[string, number, string][]>(row['stamps'])
      return {
        ...sessionOf(row),
        entries: new Map(marks.map(([writer, n, hash, rev]) => [entryId({ writer, n }), { hash, rev }])),
        stamps: new Map(stamps.map(([step, at, writer]) => [step, { at, writer }])),
      }
    },
    async write({ account, session }, { expected, push, savedAt, submission }) {
      const entries = push.entries.map(({ writer, n, hash, c, p, s }) => ({ writer, n, hash, c, p, s }))
      const steps = push.steps.map(({ step, text, count, at, writer }) => ({
        ...{ step, value: text, count, at, writer },
        is_legal: text !== null && isJsonbLegal(text),
      }))
      const params = [
        account,
        session,
        expected,
        push.rev,
        JSON.stringify(push.revs),
        JSON.stringify(push.meta),
        JSON.stringify(push.heads),
        push.at,
        savedAt,
        JSON.stringify(entries),
        JSON.stringify(steps),
        submission === undefined ? '[]' : JSON.stringify([toSubmissionRow(submission)]),
      ]
      const [row] =
        expected === null
          ? await inTurn([account, session], (tx) => tx.query(insertText, params))
          : await query(updateText, params)
      return Number(row?.['written']) === 1
    },
    async read({ account, session }, since) {
      const count = since === null ? 0 : countOf(since)
      const [row] = await query(readText, [account, session, since, Number.isSafeInteger(count) ? count : 0])
      if (row === undefined) return undefined
      const steps = parse<[string, string | null, number, number, string][]>(row['steps'])
      return {
        ...sessionOf(row),
        isWhole: row['is_whole'] === true,
        steps: steps.map(([step, text, count, at, writer]): HeldStep => ({ step, text, count, at, writer })),
      }
    },
    async list(account, { limit, after }) {
      const rows = await query(listText, [account, after, limit])
      return rows.map(
        (row): SessionSummary => ({
          session: String(row['session']),
          rev: String(row['rev']),
          meta: parse(row['meta']),
          savedAt: Number(row['saved_at']),
        }),
      )
    },
    async submission({ account, session }) {
      const [row] = await query(submissionText, [account, session])
      return row === undefined ? undefined : submissionOf(row)
    },
    async undelivered(limit) {
      const rows = await query(undeliveredText, [limit])
      return rows.map((row) => ({
        account: String(row['account']),
        session: String(row['session']),
        submission: submissionOf(row),
      }))
    },
    async markDelivered({ account, session }, at) {
      await query(deliveredText, [account, session, at])
    },
    async erase({ account, session }, at) {
      await inTurn([account, session], async (tx) => {
        await tx.query(eraseMarkText, [account, session, at])
        // A push under way holds this row: what it adds is there once it is over, for the statements after this one.
        await tx.query(eraseLockText, [account, session])
        return tx.query(eraseText, [account, session])
      })
    },
    async isErased({ account, session }) {
      return (await query(erasedText, [account, session])).length > 0
    },
  }
}

/** Only entries not beyond their writer's head can be held, so a push of new ones looks none of them up. */
const loadText = `
SELECT held.revs::text AS revs, held.meta, held.heads::text AS heads, held.at, (
  SELECT coalesce(json_agg(json_build_array(asked.writer, asked.n, found.hash, found.rev)), '[]')::text
  FROM json_to_recordset($3::text::json) AS asked(writer text, n bigint)
  CROSS JOIN LATERAL (
    SELECT e.hash, e.rev FROM waymark_entries e
    WHERE e.account = $1::text AND e.session = $2::text AND e.writer = asked.writer AND e.n = asked.n LIMIT 1
  ) found
  WHERE asked.n <= (held.heads -> asked.writer ->> 'n')::bigint
) AS entries, (
  SELECT coalesce(json_agg(json_build_array(s.step, s.at, s.writer)), '[]')::text
  FROM waymark_steps s
  WHERE s.account = $1::text AND s.session = $2::text
    AND s.step = ANY (ARRAY(SELECT json_array_elements_text($4::text::json)))
) AS stamps
FROM waymark_sessions held WHERE held.account = $1::text AND held.session = $2::text`

/** The guard comes first: the other parts insert once per row it gives, so nothing where it gives none. */
const writeText = (guard: string) => `
WITH held AS (${guard} RETURNING account, session, rev),
entries AS (
  INSERT INTO waymark_entries (account, session, writer, n, hash, rev, header, payload, salt)
  SELECT held.account, held.session, e.writer, e.n, e.hash, held.rev, e.c, e.p, e.s
  FROM held, json_to_recordset($10::text::json) AS e(writer text, n bigint, hash text, c text, p text, s text)
),
steps AS (
  INSERT INTO waymark_steps (account, session, step, value, answers, count, at, writer)
  SELECT held.account, held.session, s.step, s.value,
    CASE WHEN s.is_legal THEN s.value::jsonb END, s.count, s.at, s.writer
  FROM held, json_to_recordset($11::text::json)
    AS s(step text, value text, is_legal boolean, count bigint, at bigint, writer text)
  ON CONFLICT (account, session, step) DO UPDATE SET value = excluded.value, answers = excluded.answers,
    count = excluded.count, at = excluded.at, writer = excluded.writer
),
submission AS (
  INSERT INTO waymark_submissions (account, session, flow, value, answers, validated, at)
  SELECT held.account, held.session, s.flow, s.value,
    CASE WHEN s.is_legal THEN s.value::jsonb END, s.validated, s.at
  FROM held, json_to_recordset($12::text::json)
    AS s(flow text, value text, is_legal boolean, validated boolean, at bigint)
  ON CONFLICT DO NOTHING
)
SELECT count(*)::int AS written FROM held`

const updateText = writeText(`
  UPDATE waymark_sessions SET rev = $4::text, revs = $5::text::jsonb, meta = $6::text, heads = $7::text::jsonb,
    at = $8::bigint, saved_at = $9::bigint
  WHERE account = $1::text AND session = $2::text AND rev = $3::text`)

const insertText = writeText(`
  INSERT INTO waymark_sessions (account, session, rev, revs, meta, heads, at, saved_at)
  SELECT $1::text, $2::text, $4::text, $5::text::jsonb, $6::text, $7::text::jsonb, $8::bigint, $9::bigint
  WHERE $3::text IS NULL AND NOT EXISTS (
    SELECT 1 FROM waymark_erased WHERE account = $1::text AND session = $2::text
  ) ON CONFLICT DO NOTHING`)

const readText = `
SELECT held.revs::text AS revs, held.meta, held.heads::text AS heads, held.at, known.count < 0 AS is_whole, (
  SELECT coalesce(json_agg(json_build_array(s.step, s.value, s.count, s.at, s.writer) ORDER BY s.step), '[]')::text
  FROM waymark_steps s
  WHERE s.account = held.account AND s.session = held.session AND s.count > known.count
) AS steps
FROM waymark_sessions held
CROSS JOIN LATERAL (
  SELECT CASE WHEN $3::text IS NOT NULL AND held.revs @> to_jsonb($3::text) THEN $4::bigint ELSE -1 END AS count
) known
WHERE held.account = $1::text AND held.session = $2::text`

const listText = `
SELECT session, rev, meta, saved_at FROM waymark_sessions
WHERE account = $1::text AND session > $2::text COLLATE "C" ORDER BY session LIMIT $3::int`

const submissionColumns =
  'account, session, flow, value, validated, at, delivered_at IS NOT NULL AS is_delivered'

const submissionText = `
SELECT ${submissionColumns} FROM waymark_submissions WHERE account = $1::text AND session = $2::text`

const undeliveredText = `
SELECT ${submissionColumns} FROM waymark_submissions WHERE delivered_at IS NULL ORDER BY at LIMIT $1::int`

/** Of an erased session a submission is kept until it is delivered, and no longer. */
const deliveredText = `
WITH gone AS (
  DELETE FROM waymark_submissions s USING waymark_erased e
  WHERE s.account = $1::text AND s.session = $2::text AND e.account = s.account AND e.session = s.session
  RETURNING s.session
)
UPDATE waymark_submissions SET delivered_at = $3::bigint
WHERE account = $1::text AND session = $2::text AND delivered_at IS NULL AND NOT EXISTS (SELECT 1 FROM gone)`

const erasedText = 'SELECT 1 FROM waymark_erased WHERE account = $1::text AND session = $2::text'

const turnText = 'SELECT pg_advisory_xact_lock(hashtextextended($1::text || chr(31) || $2::text, 7286429))'

const eraseMarkText = `
INSERT INTO waymark_erased (account, session, at) VALUES ($1::text, $2::text, $3::bigint) ON CONFLICT DO NOTHING`

const eraseLockText =
  'SELECT 1 FROM waymark_sessions WHERE account = $1::text AND session = $2::text FOR UPDATE'

const eraseText = `
WITH entries AS (
  DELETE FROM waymark_entries WHERE account = $1::text AND session = $2::text
), steps AS (
  DELETE FROM waymark_steps WHERE account = $1::text AND session = $2::text
), submissions AS (
  DELETE FROM waymark_submissions
  WHERE account = $1::text AND session = $2::text AND delivered_at IS NOT NULL
)
DELETE FROM waymark_sessions WHERE account = $1::text AND session = $2::text`

function sessionOf(row: Record<string, unknown>): HeldSession {
  return {
    revs: parse(row['revs']),
    meta: parse(row['meta']),
    heads: parse(row['heads']),
    at: Number(row['at']),
  }
}

function toSubmissionRow({ flow, answers, validated, at }: Submission): object {
  const isLegal = isJsonbLegal(answers)
  return { flow: JSON.stringify(flow), value: answers, is_legal: isLegal, validated, at }
}

function submissionOf(row: Record<string, unknown>): Submission {
  return {
    flow: parse(row['flow']),
    answers: String(row['value']),
    validated: row['validated'] === true,
    at: Number(row['at']),
    isDelivered: row['is_delivered'] === true,
  }
}

function parse<T>(text: unknown): T {
  return JSON.parse(String(text)) as T
}

/** Connection, transaction, resource and shutdown classes, and lock waits: another attempt may succeed. */
const transientCode = /^(?:08|40|53|57)|^55P03$|^(?:ECONN|ETIMEDOUT|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)/

/** The driver's error stays as `cause` only: its text may quote a row. */
function storageFailed(cause: unknown): WaymarkError {
  const code = (cause as { readonly code?: unknown } | undefined)?.code
  // A driver that lost its connection often says so without a code; PostgreSQL's own answers always have one.
  const isRetryable = typeof code !== 'string' || transientCode.test(code)
  return new WaymarkError('storage-failed', 'The database did not do what it was asked. See the cause.', {
    details: { code: typeof code === 'string' ? code : undefined },
    cause,
    isRetryable,
  })
}
