import type { Clock } from '../base/clock.ts'
import type { Range, Row, Store } from '../store/store.ts'
import type { Trunk } from './batch.ts'
import { type Checkpoint, createCheckpointWriter, toPartRows } from './checkpoint.ts'
import type { Restored } from './restore.ts'

/**
 * Decides when a session is checkpointed and writes it off the acknowledging path: after {@link tailLimit} entries of
 * tail or a finished step, when the page is idle. Keeps the newest {@link kept} and removes what only older ones use.
 */
export interface Checkpoints {
  /** Tells of an entry stored: what it led to, the largest stamp so far, and whether it finished a step. */
  note(trunk: Trunk, at: number, isMilestone: boolean): void
  close(): Promise<void>
}

const tailLimit = 16
const kept = 2
const idleMs = 50

export function createCheckpoints(options: {
  readonly store: Store
  readonly session: string
  readonly clock: Clock
  readonly restored: Pick<Restored, 'manifests' | 'tail'>
  readonly onError: (error: unknown) => void
}): Checkpoints {
  const { store, session, clock, restored, onError } = options
  const writer = createCheckpointWriter()
  const known = restored.manifests
    .map((manifest) => ({
      position: manifest.position,
      hashes: new Set(Object.values(manifest.steps).flat()),
    }))
    .reverse()
  for (const manifest of known) writer.stored(manifest.hashes)
  let tail = restored.tail
  let isDue = false
  let take: (() => Checkpoint) | undefined
  let cancel = () => {}
  let writing: Promise<void> = Promise.resolve()

  async function write(): Promise<void> {
    if (take === undefined) return
    const checkpoint = take()
    take = undefined
    isDue = false
    tail = 0
    const { row, parts, hashes } = checkpoint
    const outdated = known.slice(0, Math.max(0, known.length + 1 - kept))
    const needed = new Set([
      ...hashes,
      ...known.slice(outdated.length).flatMap((manifest) => [...manifest.hashes]),
    ])
    const unused = new Set(
      outdated.flatMap((manifest) => [...manifest.hashes]).filter((hash) => !needed.has(hash)),
    )
    const put: Row[] = [
      { store: 'checkpoints', key: [session, row.i], value: row },
      ...toPartRows(session, parts),
    ]
    const remove: Range[] = [
      ...outdated.map((manifest): Range => ({ store: 'checkpoints', prefix: [session, manifest.position] })),
      ...[...unused].map((hash): Range => ({ store: 'parts', prefix: [session, hash] })),
    ]
    try {
      await store.write({ durability: 'relaxed', put, remove })
      writer.stored(hashes)
      writer.forget(unused)
      known.splice(0, outdated.length)
      known.push({ position: row.i, hashes: new Set(hashes) })
    } catch (error) {
      onError(error)
    }
  }

  return {
    note({ state, position, heads }, at, isMilestone) {
      tail += 1
      take = () => writer.take(state, position, heads, at)
      if (!isMilestone && tail < tailLimit) return
      if (isDue) return
      isDue = true
      cancel = clock.after(idleMs, () => {
        writing = writing.then(write)
      })
    },
    async close() {
      cancel()
      await writing
    },
  }
}
