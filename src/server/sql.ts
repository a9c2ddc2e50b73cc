import { sha256 } from '../base/hash.ts'

/** The few things this server asks of a PostgreSQL driver. Any driver fits; none is imported. */
export interface Sql {
  /** Runs one statement with `$1`, `$2`, ... Parameters are strings, numbers and `null` only. */
  query(text: string, params?: readonly SqlValue[]): Promise<SqlResult>
  /** Runs `run` in one transaction on one connection; commits where it resolves, rolls back where it rejects. */
  transaction<T>(run: (sql: Pick<Sql, 'query'>) => Promise<T>): Promise<T>
}

export type SqlValue = string | number | null
export interface SqlResult {
  readonly rows: readonly Record<string, unknown>[]
}

interface QueryLike {
  query(text: string, params?: SqlValue[]): Promise<{ rows: unknown[] }>
}

/** What {@link fromPglite} needs of a PGlite database. */
export interface PgliteLike extends QueryLike {
  transaction<T>(run: (transaction: QueryLike) => Promise<T>): Promise<T>
}

/** What {@link fromPool} needs of a `pg` pool. */
export interface PoolLike {
  query(query: PoolQuery): Promise<{ rows: unknown[] }>
  connect(): Promise<QueryLike & { release(error?: boolean): void }>
}

export interface PoolQuery {
  name?: string
  text: string
  values: SqlValue[]
}

export interface PoolOptions {
  /**
   * Whether statements are prepared once per connection, which saves most of their planning. Turn it off behind a
   * pooler that hands out a connection per statement and cannot carry prepared ones. Default: true.
   */
  readonly prepare?: boolean
}

/** A PGlite database as {@link Sql}. Whoever opened it closes it. */
export function fromPglite(db: PgliteLike): Sql {
  return { ...runner(db), transaction: (run) => db.transaction((tx) => run(runner(tx))) }
}

/**
 * A `pg` pool, or one shaped like it (Neon, Vercel), as {@link Sql}. Whoever made the pool ends it, and listens to its
 * `error` event.
 */
export function fromPool(pool: PoolLike, options: PoolOptions = {}): Sql {
  const nameByText = new Map<string, string>()
  const nameOf = (text: string) => {
    const name = nameByText.get(text) ?? `waymark_${sha256(text).slice(0, 16)}`
    nameByText.set(text, name)
    return name
  }
  return {
    async query(text, params = []) {
      const name = options.prepare === false ? {} : { name: nameOf(text) }
      const { rows } = await pool.query({ ...name, text, values: [...params] })
      return { rows: rows as Record<string, unknown>[] }
    },
    async transaction(run) {
      const client = await pool.connect()
      let isBroken = false
      try {
        await client.query('BEGIN')
        const result = await run(runner(client))
        await client.query('COMMIT')
        return result
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {
          isBroken = true
        })
        throw error
      } finally {
        client.release(isBroken)
      }
    },
  }
}

function runner(target: QueryLike): Pick<Sql, 'query'> {
  return {
    async query(text, params = []) {
      const { rows } = await target.query(text, [...params])
      return { rows: rows as Record<string, unknown>[] }
    },
  }
}
