/** How far each session is on the server, as this page knows it. */
import { noServerMarks, type ServerMarks } from '../protocol/sync-status.ts'
import type { Store } from '../store/store.ts'
import type { BaseRows } from './base-row.ts'
import { parkedRange, readParkedRow } from './parked-row.ts'

export interface Marks {
  of(session: string): ServerMarks
  set(session: string, marks: Partial<ServerMarks>): void
  /** Reads again what this page or another was acknowledged. */
  refresh(session: string): Promise<void>
  /** Sessions that the server refused. */
  parked(): readonly string[]
}

export function createMarks(of: {
  readonly account: string
  readonly store: Pick<Store, 'read'>
  readonly bases: BaseRows
  readonly isClosed: () => boolean
  readonly onChange: (session: string) => void
}): Marks {
  const { account, store, bases, isClosed, onChange } = of
  const bySession = new Map<string, ServerMarks>()

  function set(session: string, marks: Partial<ServerMarks>): void {
    if (isClosed()) return
    const next = { ...(bySession.get(session) ?? noServerMarks), ...marks }
    // What the server holds is refused no more, however late a row says so.
    const isHeld = next.parked !== undefined && next.parked.position <= next.position
    bySession.set(session, isHeld ? { ...next, parked: undefined } : next)
    onChange(session)
  }

  async function refresh(session: string): Promise<void> {
    const before = bySession.get(session)
    const [{ position, rev }, [parked = []]] = await Promise.all([
      bases.read(session),
      store.read([parkedRange(session)]),
    ])
    // What was learned while this was read is newer.
    if (bySession.get(session) !== before) return refresh(session)
    set(session, { position, rev, parked: readParkedRow(parked[0], account) })
  }

  return {
    of: (session) => bySession.get(session) ?? noServerMarks,
    set,
    refresh,
    parked: () => [...bySession].flatMap(([session, { parked }]) => (parked === undefined ? [] : session)),
  }
}
