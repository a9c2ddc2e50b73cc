import { isWaymarkError, type Session } from 'waymark'
import type { Housing } from '../flow.ts'
import { button, h } from './dom.ts'

/** A button that hands over the answers as a file, wherever they are saved; `onFailure` says why there is none. */
export function downloadCopyButton(
  session: Session<Housing>,
  onFailure: (message: string) => void,
): HTMLButtonElement {
  const element = button('download-copy', '', {
    look: 'quiet',
    onClick: () => {
      download(session).catch((error: unknown) => {
        if (!isWaymarkError(error)) throw error
        onFailure(error.message)
      })
    },
  })
  element.setAttribute('aria-label', 'Download a copy of your answers')
  element.append(
    h('span', { class: 'copy-mark', 'aria-hidden': 'true' }),
    h('span', { class: 'copy-words' }, 'Download a copy'),
  )
  return element
}

async function download(session: Session<Housing>): Promise<void> {
  const url = URL.createObjectURL(await session.export())
  const day = new Date().toISOString().slice(0, 10)
  h('a', { href: url, download: `housing-support-${day}.json` }).click()
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
