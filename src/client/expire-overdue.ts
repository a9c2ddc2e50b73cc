import { msFromStamp } from '../base/clock.ts'
import { isWaymarkError } from '../base/errors.ts'
import type { Flow } from '../flow/definition.ts'
import type { Journal } from '../journal/journal.ts'
import { type Head, isOverdue } from '../record/head.ts'

/**
 * Ends the sessions that expired while nobody had them open; resolves with their ids. What their journals say counts: a
 * head may trail. Not for sessions that other devices may go on with: those are asked first, where one is open.
 */
export async function expireOverdue(of: {
  readonly heads: readonly Head[]
  readonly flowById: ReadonlyMap<string, Flow>
  readonly now: number
  readonly isOpen: (id: string) => boolean
  readonly borrowJournal: (id: string) => Promise<{ journal: Journal; release: () => void }>
}): Promise<readonly string[]> {
  const { heads, flowById, now, isOpen, borrowJournal } = of
  const ended: string[] = []
  for (const head of heads) {
    const expiry = flowById.get(head.flow.id)?.expiry
    if (expiry === undefined || isOpen(head.id) || !isOverdue(head, now)) continue
    try {
      const { journal, release } = await borrowJournal(head.id)
      try {
        await journal.catchUp()
        if (msFromStamp(journal.at) + expiry.afterMs > now || journal.storedState === undefined) continue
        journal.append([{ type: 'status', to: 'expired' }], 'strict')
        if (await journal.settled()) ended.push(head.id)
      } finally {
        release()
      }
    } catch (error) {
      // Another tab removed it meanwhile.
      if (!isWaymarkError(error, 'session-unknown')) throw error
    }
  }
  return ended
}
