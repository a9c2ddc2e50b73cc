import { type Clock, msFromStamp } from '../base/clock.ts'
import { isJsonObject } from '../base/json.ts'
import type { Flow } from '../flow/definition.ts'
import { readTail, restoreSession } from '../journal/restore.ts'
import type { QuarantineRow } from '../journal/rows.ts'
import type { Head } from '../record/head.ts'
import { initialState } from '../record/state.ts'
import type { Store } from '../store/store.ts'
import { createHeadMaker } from './heads.ts'

/**
 * Makes the head of a session anew from its journal and sets the unreadable one aside: a list must not hide a session
 * that is there. `undefined`, with nothing written, where the journal tells of no flow this app knows. A head of a format
 * to come is the newer version's: what it says is made anew for this list only.
 */
export async function mendHead(of: {
  readonly store: Store
  readonly account: string
  readonly id: string
  /** What lies in the head's place. */
  readonly found: unknown
  readonly flowById: ReadonlyMap<string, Flow>
  readonly clock: Clock
}): Promise<Head | undefined> {
  const { store, account, id, found, flowById, clock } = of
  const { state, at } = await restoreSession(store, id, initialState({ id: '', version: 0, hash: '' }, ''))
  const flow = state && flowById.get(state.flow.id)
  if (state === undefined || flow === undefined) return undefined
  const { entries } = await readTail(store, id, 0)
  const started = entries.flatMap(({ changes = [] }) => changes).find((change) => change.type === 'started')
  // Without its first entry the name the caller gave it is gone; the id finds it all the same.
  const key = started?.key ?? id
  const createdAt = entries[0] === undefined ? clock.now() : msFromStamp(entries[0].at)
  // As of its last entry: it was not saved now.
  const then = { ...clock, now: () => msFromStamp(at) }
  const head = createHeadMaker({ id, account, key, flow, clock: then, createdAt })(state)
  if (isNewer(found)) return head
  const aside: QuarantineRow = {
    ...{ v: 1, session: id, place: 'head', reason: 'does not verify', at: clock.now() },
    row: found,
  }
  await store.write({
    durability: 'strict',
    put: [
      { store: 'quarantine', key: [id, 'head'], value: aside },
      { store: 'heads', key: [account, id], value: head },
    ],
  })
  return head
}

/** True for a head that a newer version of the app wrote. */
export function isNewer(found: unknown): boolean {
  return isJsonObject(found) && typeof found['v'] === 'number' && found['v'] > 1
}
