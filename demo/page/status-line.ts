import type { Session } from 'waymark'
import type { Connection } from '../connection.ts'
import type { Housing } from '../flow.ts'
import type { Announcer } from './announcer.ts'
import { button, byId, h, setText } from './dom.ts'
import { downloadCopyButton } from './download-copy.ts'
import { toStatusWords } from './status-words.ts'

export interface StatusLine {
  /** What could not be taken into the session, or that all is well again. */
  refuse(message: string | undefined): void
  close(): void
}

/** Shows where the answers are, in words and as `data-state`, `data-device`, `data-server`, `data-sync`. */
export function showStatusLine(options: {
  readonly session: Session<Housing>
  readonly connection: Connection
  readonly announcer: Announcer
  readonly onTryNow: () => void
}): StatusLine {
  const { session, connection, announcer, onTryNow } = options
  const root = byId('status')
  const headline = h('strong', { id: 'status-headline' })
  const detail = h('span', { id: 'status-detail' })
  const tryNow = button('try-now', 'Try now', { look: 'quiet', onClick: onTryNow })
  tryNow.addEventListener('blur', () => show())
  root.replaceChildren(
    h('span', { class: 'status-mark', 'aria-hidden': 'true' }),
    h('p', { id: 'status-words' }, headline, ' ', detail),
    tryNow,
    downloadCopyButton(session, (message) => {
      setText(detail, `No copy was made. ${message}`)
      announcer.news(`No copy was made. ${message}`)
    }),
  )
  let refusal: string | undefined
  let ticking: ReturnType<typeof setTimeout> | undefined

  function show(): void {
    clearTimeout(ticking)
    const status = session.status.getSnapshot()
    const words = toStatusWords({
      status,
      isUntouched: session.getSnapshot().status === 'pending',
      isOnline: connection.isOnline,
      refusal,
      now: Date.now(),
    })
    setText(headline, words.headline)
    setText(detail, words.detail)
    Object.assign(root.dataset, {
      state: words.kind,
      device: status.saved.device,
      server: status.saved.server,
      sync: status.sync?.state ?? 'none',
    })
    tryNow.hidden = !words.canTry && document.activeElement !== tryNow
    announcer.status(words)
    if (words.kind === 'waiting') ticking = setTimeout(show, 500)
  }

  const stops = [session.subscribe(show), session.status.subscribe(show), connection.subscribe(show)]
  show()
  return {
    refuse(message) {
      refusal = message
      show()
    },
    close() {
      clearTimeout(ticking)
      for (const stop of stops) stop()
    },
  }
}
