import type { Sql } from './sql.ts'

/**
 * Text is stored as text, exactly as it was hashed. `answers` columns are a projection for people's own queries:
 * JSONB where PostgreSQL takes the text, NULL where it refuses it (NUL, lone surrogates).
 */
const statements = [
  `CREATE TABLE IF NOT EXISTS waymark_sessions (
    account text NOT NULL,
    session text COLLATE "C" NOT NULL,
    rev text NOT NULL,
    revs jsonb NOT NULL,
    meta text NOT NULL,
    heads jsonb NOT NULL,
    at bigint NOT NULL,
    saved_at bigint NOT NULL,
    PRIMARY KEY (account, session)
  )`,
  `CREATE TABLE IF NOT EXISTS waymark_entries (
    account text NOT NULL,
    session text COLLATE "C" NOT NULL,
    writer text COLLATE "C" NOT NULL,
    n bigint NOT NULL,
    hash text NOT NULL,
    rev text NOT NULL,
    header text NOT NULL,
    payload text,
    salt text,
    PRIMARY KEY (account, session, writer, n)
  )`,
  `CREATE TABLE IF NOT EXISTS waymark_steps (
    account text NOT NULL,
    session text COLLATE "C" NOT NULL,
    step text COLLATE "C" NOT NULL,
    value text,
    answers jsonb,
    count bigint NOT NULL,
    at bigint NOT NULL,
    writer text NOT NULL,
    PRIMARY KEY (account, session, step)
  )`,
  `CREATE TABLE IF NOT EXISTS waymark_submissions (
    account text NOT NULL,
    session text COLLATE "C" NOT NULL,
    flow text NOT NULL,
    value text NOT NULL,
    answers jsonb,
    validated boolean NOT NULL,
    at bigint NOT NULL,
    delivered_at bigint,
    PRIMARY KEY (account, session)
  )`,
  `CREATE TABLE IF NOT EXISTS waymark_erased (
    account text NOT NULL,
    session text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (account, session)
  )`,
  `CREATE INDEX IF NOT EXISTS waymark_submissions_undelivered
    ON waymark_submissions (at) WHERE delivered_at IS NULL`,
]

/** Any number; the same for all who migrate, so that two servers starting at once do not race. */
const lockKey = 7_286_429

export function migrateSchema(sql: Sql): Promise<void> {
  return sql.transaction(async (tx) => {
    await tx.query(`SELECT pg_advisory_xact_lock(${lockKey})`)
    for (const statement of statements) await tx.query(statement)
  })
}

/** Whether PostgreSQL takes this JSON text as JSONB: it refuses `\u0000` and lone surrogates, which people type. */
export function isJsonbLegal(text: string): boolean {
  return !text.includes('\\u') || !/(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/.test(text)
}
