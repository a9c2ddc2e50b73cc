/** What a page lives through, as three signals. In a worker or on a server there is nothing to hear. */
export interface PageLife {
  /** About to be hidden, frozen or left: the last moment to start a write. */
  readonly onLeaving: () => void
  /** Looked at again, or back from the cache: what is stored may have moved on. */
  readonly onReturned: () => void
  readonly onOnline: (isOnline: boolean) => void
}

/** Listens until the returned function is called. */
export function watchPageLife(life: PageLife): () => void {
  if (typeof window === 'undefined' || typeof document === 'undefined') return () => {}
  const onVisibility = () => (document.visibilityState === 'hidden' ? life.onLeaving() : life.onReturned())
  const onOnline = () => life.onOnline(true)
  const onOffline = () => life.onOnline(false)
  const listeners: [EventTarget, string, () => void][] = [
    [document, 'visibilitychange', onVisibility],
    [window, 'pagehide', life.onLeaving],
    [window, 'beforeunload', life.onLeaving],
    [window, 'pageshow', life.onReturned],
    [window, 'focus', life.onReturned],
    [window, 'online', onOnline],
    [window, 'offline', onOffline],
  ]
  for (const [target, type, listener] of listeners) target.addEventListener(type, listener)
  return () => {
    for (const [target, type, listener] of listeners) target.removeEventListener(type, listener)
  }
}
