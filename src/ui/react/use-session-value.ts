import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'

/** What has a snapshot and says when it changed: a session, or its `status`. */
export interface SnapshotSource<S> {
  getSnapshot(): S
  subscribe(listener: () => void): () => void
}

/**
 * What `select` picks from the session's snapshot. The component renders again when that changes, and not when anything
 * else does: a field that selects its own answer renders for its own typing only. `select` may be written in place.
 * `isEqual` (default `Object.is`) decides for values built anew, such as lists made with `filter`; the old one is kept.
 *
 * @example
 * const name = useSessionValue(session, (now) => now.answers.applicant?.name ?? '')
 * return <input value={name} onChange={(e) => session.set('applicant', { name: e.target.value })} />
 */
export function useSessionValue<S, T>(
  session: SnapshotSource<S>,
  select: (snapshot: S) => T,
  isEqual: (a: NoInfer<T>, b: NoInfer<T>) => boolean = Object.is,
): T {
  const rendered = useRef<{ readonly value: T } | undefined>(undefined)
  const read = useMemo(() => {
    let last: { readonly snapshot: S; readonly value: T } | undefined
    return () => {
      const snapshot = session.getSnapshot()
      if (last !== undefined && last.snapshot === snapshot) return last.value
      const before = last ?? rendered.current
      const picked = select(snapshot)
      const value = before !== undefined && isEqual(before.value, picked) ? before.value : picked
      last = { snapshot, value }
      return value
    }
  }, [session, select, isEqual])
  const value = useSyncExternalStore(session.subscribe, read, read)
  useEffect(() => {
    rendered.current = { value }
  }, [value])
  return value
}
