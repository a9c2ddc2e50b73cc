import type { Clock } from '../base/clock.ts'
import type { Key, Range, Row, Store } from '../store/store.ts'
import type { Trunk } from './batch.ts'
import { type Checkpoint, createCheckpointWriter, readManifest, toPartRows } from './checkpoint.ts'
import { ofSession } from './rows.ts'

/**
 * Decides when a session is checkpointed and writes it off the acknowledging path: after {@link tailLimit} entries of
 * tail or an entry worth one, when the page is idle. Keeps the newest {@link kept} and removes parts none of them uses.
 * What is stored is asked of the store each time: other tabs write and clear away too.
 */
export interface Checkpoints {
  /** Tells of an entry stored: what it led to, the largest stamp so far, and whether it is worth a checkpoint. */
  note(trunk: Trunk, at: number, isWorthOne: boolean): void
  close(): Promise<void>
}

const tailLimit = 16
const kept = 2
const idleMs = 50

export function createCheckpoints(options: {
  readonly store: Store
  readonly session: string
  readonly clock: Clock
  /** Entries past the newest checkpoint by now. */
  readonly tail: number
  /** One that is stored does not verify: no part of it is relied on until it is written anew. */
  readonly isSuspect: boolean
  readonly onError: (error: unknown) => void
}): Checkpoints {
  const { store, session, clock, onError } = options
  const writer = createCheckpointWriter()
  let { tail, isSuspect } = options
  let isDue = false
  let take: (() => Checkpoint) | undefined
  let cancel = () => {}
  let writing: Promise<void> = Promise.resolve()

  async function write(): Promise<void> {
    if (take === undefined) return
    const { row, parts } = take()
    take = undefined
    isDue = false
    tail = 0
    const [manifestRows = [], partKeys = []] = await store.read([
      ofSession('checkpoints', session),
      { ...ofSession('parts', session), isKeys: true },
    ])
    const newestFirst = manifestRows.flatMap((value) => readManifest(value) ?? []).reverse()
    const older = newestFirst.filter((manifest) => manifest.position < row.i)
    const needed = new Set(parts.map((part) => part.k))
    for (const manifest of [
      ...newestFirst.filter((one) => one.position > row.i),
      ...older.slice(0, kept - 1),
    ]) {
      for (const hash of Object.values(manifest.steps).flat()) needed.add(hash)
    }
    const stored = new Set((partKeys as Key[]).map((key) => key[1] as string))
    const put: Row[] = [
      { store: 'checkpoints', key: [session, row.i], value: row },
      ...toPartRows(
        session,
        parts.filter((part) => isSuspect || !stored.has(part.k)),
      ),
    ]
    const remove: Range[] = [
      ...older
        .slice(kept - 1)
        .map(({ position }): Range => ({ store: 'checkpoints', prefix: [session, position] })),
      ...[...stored]
        .filter((hash) => !needed.has(hash))
        .map((hash): Range => ({ store: 'parts', prefix: [session, hash] })),
    ]
    await store.write({ durability: 'relaxed', put, remove })
    isSuspect = false
  }

  return {
    note({ state, position, heads }, at, isWorthOne) {
      tail += 1
      take = () => writer.take(state, position, heads, at)
      if (!isWorthOne && tail < tailLimit) return
      if (isDue) return
      isDue = true
      cancel = clock.after(idleMs, () => {
        writing = writing.then(write).catch(onError)
      })
    },
    async close() {
      cancel()
      await writing
    },
  }
}
