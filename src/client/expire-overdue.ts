import { msFromStamp } from '../base/clock.ts'
import type { Flow } from '../flow/definition.ts'
import type { Journal } from '../journal/journal.ts'
import { type Head, isOverdue } from '../record/head.ts'

/**
 * Ends the sessions that expired while nobody had them open. What their journals say counts: a head may trail. Resolves
 * with true where one was ended.
 */
export async function expireOverdue(of: {
  readonly heads: readonly Head[]
  readonly flowById: ReadonlyMap<string, Flow>
  readonly now: number
  readonly isOpen: (id: string) => boolean
  readonly borrowJournal: (id: string) => Promise<{ journal: Journal; release: () => void }>
}): Promise<boolean> {
  const { heads, flowById, now, isOpen, borrowJournal } = of
  let hasEnded = false
  for (const head of heads) {
    const expiry = flowById.get(head.flow.id)?.expiry
    if (expiry === undefined || isOpen(head.id) || !isOverdue(head, now)) continue
    const { journal, release } = await borrowJournal(head.id)
    if (msFromStamp(journal.at) + expiry.afterMs <= now) {
      journal.append([{ type: 'status', to: 'expired' }], 'strict')
      hasEnded = (await journal.settled()) || hasEnded
    }
    release()
  }
  return hasEnded
}
