import { useEffect, useMemo, useRef, useSyncExternalStore } from 'react'
import type { Flow } from '../../flow/definition.ts'
import type { Session } from '../../session/session.ts'
import type { SessionSnapshot } from '../../session/session-snapshot.ts'

/**
 * What `select` picks from the session's snapshot. The component renders again when that changes, and not when anything
 * else does: a field that selects its own answer renders for its own typing only. `select` may be written in place.
 * `isEqual` (default `Object.is`) decides for values built anew, such as lists made with `filter`; the old one is kept.
 *
 * @example
 * const name = useSessionValue(session, (now) => now.answers.applicant?.name ?? '')
 * return <input value={name} onChange={(e) => session.set('applicant', { name: e.target.value })} />
 */
export function useSessionValue<F extends Flow, T>(
  session: Session<F>,
  select: (snapshot: SessionSnapshot<F>) => T,
  isEqual: (a: T, b: T) => boolean = Object.is,
): T {
  const rendered = useRef<{ readonly value: T } | undefined>(undefined)
  const read = useMemo(() => {
    let last: { readonly snapshot: SessionSnapshot<F>; readonly value: T } | undefined
    return () => {
      const snapshot = session.getSnapshot()
      if (last?.snapshot === snapshot) return last.value
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
