import type { Emitter } from '../base/emitter.ts'
import type { Journal } from '../journal/journal.ts'
import type { SyncStatus } from '../protocol/sync-status.ts'
import type { SavedOutcome, SaveLevel } from './outcome.ts'
import { type AtRisk, type SyncPort, savedOf } from './session-status.ts'

export type SavedWait = (
  level: SaveLevel,
  options?: { readonly signal?: AbortSignal },
) => Promise<SavedOutcome>

/**
 * Waits until everything made so far is as safe as asked. It looks whenever the marks move, and gives up where waiting
 * cannot help: at risk, held back by the server, closed, aborted.
 */
export function createSavedWait(of: {
  readonly journal: Journal
  readonly sync: SyncPort | undefined
  readonly storeProblem: () => AtRisk | undefined
  readonly marksMoved: Emitter<void>
  readonly isClosed: () => boolean
  readonly onError: (error: unknown) => void
}): SavedWait {
  const { journal, sync, storeProblem, marksMoved, isClosed, onError } = of
  return (level, { signal } = {}) => {
    if (level === 'server' && sync === undefined) return Promise.resolve({ type: 'no-backend' })
    const target = journal.marks.made
    /** Where the journal stood when everything asked about was an entry. */
    let position: number | undefined
    const verdict = (): SavedOutcome | undefined => {
      const { acknowledged, strict, failure } = journal.marks
      const isStored = acknowledged >= target
      if (level === 'device' && isStored && storeProblem() === undefined) return { type: 'saved' }
      if (level === 'strict' && isStored && strict >= target && storeProblem() === undefined)
        return { type: 'saved' }
      if (level === 'server' && sync !== undefined) {
        if (isStored && journal.isSettled) position ??= journal.position
        const marks = sync.marks()
        if (position !== undefined && marks.position >= position) return { type: 'saved' }
        const isRefused = position !== undefined && position <= (marks.parked?.position ?? -2)
        const held = isRefused ? marks.parked?.reason : heldReason(sync.status)
        if (held !== undefined && failure === undefined) return { type: 'not-sent', reason: held }
      }
      // What only dies with the page is still sent: the server may yet have it.
      const { atRisk } = savedOf(journal, sync, level === 'server' ? undefined : storeProblem())
      if (atRisk !== undefined) return { type: 'at-risk', ...atRisk }
      return isClosed() || signal?.aborted ? { type: 'aborted' } : undefined
    }
    if (level === 'strict') journal.harden()
    if (level === 'server') {
      journal.commitDraft()
      sync?.push().catch(onError)
    }
    return new Promise((resolve) => {
      const check = () => {
        const found = verdict()
        if (found === undefined) return
        off()
        signal?.removeEventListener('abort', check)
        resolve(found)
      }
      const off = marksMoved.on(check)
      signal?.addEventListener('abort', check)
      check()
    })
  }
}

/** Why waiting for the server would not help. */
function heldReason({ state, reason }: SyncStatus): string | undefined {
  if (state === 'stopped') return reason === 'loading' ? undefined : 'stopped'
  return state === 'signedOut' || state === 'blocked' ? reason || state : undefined
}
