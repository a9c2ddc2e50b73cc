/**
 * Joins a session's steps to the browser's history: Back, Forward, reload and deep links move between steps.
 *
 * Invariants
 * - The URL names the step, never an answer.
 * - Every step moved to from within is one history entry; a move that history itself asked for adds none.
 * - A URL that names a step the person may not visit yet leads to where they may be, and is corrected.
 */
import { isWaymarkError } from '../base/errors.ts'
import type { Flow } from '../flow/definition.ts'
import type { Session } from '../session/session.ts'

export interface HistoryOptions {
  /** The step a URL names; default: its hash, `#income`. `undefined` where it names none. */
  readonly stepFromUrl?: (url: URL) => string | undefined
  /** The URL of a step; default: the same page with the step as hash. */
  readonly urlOfStep?: (step: string, url: URL) => URL
  /** Default: the page's own. */
  readonly window?: Window
}

/**
 * Binds until the returned function is called. A step in the URL is visited if the session may go there; else the URL is
 * replaced by the session's own step.
 */
export function bindHistory<F extends Flow>(session: Session<F>, options: HistoryOptions = {}): () => void {
  const page = options.window ?? window
  const stepFromUrl = options.stepFromUrl ?? stepFromHash
  const urlOfStep =
    options.urlOfStep ??
    ((step, url) => {
      url.hash = encodeURIComponent(step)
      return url
    })
  const here = () => new URL(page.location.href)
  const stepOf = () => session.getSnapshot().step as string
  let shown = stepOf()
  let isFollowing = false

  /** Goes where the URL points; where that is not allowed, makes the URL say where the session is. */
  const follow = async () => {
    const wanted = stepFromUrl(here())
    if (wanted !== undefined && wanted !== stepOf()) {
      isFollowing = true
      const moved = session.goTo(wanted as Parameters<typeof session.goTo>[0])
      isFollowing = false // the step moves at once; what follows is another move
      await moved
    }
    shown = stepOf()
    if (stepFromUrl(here()) !== shown)
      page.history.replaceState(page.history.state, '', urlOfStep(shown, here()))
  }

  const onStep = () => {
    const step = stepOf()
    if (step === shown) return
    shown = step
    if (!isFollowing) page.history.pushState({ waymark: session.id }, '', urlOfStep(step, here()))
  }

  const unsubscribe = session.subscribe(onStep)
  const onPop = () => {
    follow().catch((error: unknown) => {
      // A session closed elsewhere has nowhere to go.
      if (!isWaymarkError(error, 'closed')) throw error
    })
  }
  page.addEventListener('popstate', onPop)
  onPop()
  return () => {
    unsubscribe()
    page.removeEventListener('popstate', onPop)
  }
}

/** A hash that is no text, as a mangled link has, names no step. */
function stepFromHash(url: URL): string | undefined {
  try {
    return decodeURIComponent(url.hash.slice(1)) || undefined
  } catch {
    return undefined
  }
}
