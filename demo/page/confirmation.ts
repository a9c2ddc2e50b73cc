import type { SessionStatus } from 'waymark'
import { button, h, setText } from './dom.ts'

/** After the last step. It says "received" only when the server has. */
export function createConfirmation(sessionId: string, onStartAnother: () => void) {
  const heading = h('h1', { tabindex: -1 })
  const lead = h('p', { class: 'lead' })
  const reference = `${sessionId.slice(0, 4)}-${sessionId.slice(4, 8)}`.toUpperCase()
  const root = h(
    'div',
    { class: 'step confirmation', 'data-step': 'done' },
    h(
      'div',
      { class: 'receipt' },
      heading,
      lead,
      h('p', { class: 'reference' }, 'Your reference', h('strong', { id: 'reference' }, reference)),
    ),
    h('h2', { class: 'what-next' }, 'What happens next'),
    h(
      'ol',
      { class: 'next-steps' },
      h('li', {}, 'We check your answers, usually within five working days.'),
      h('li', {}, 'We write to the email address you gave if something is missing.'),
      h('li', {}, 'If you are eligible, the first payment follows on the first working day of the month.'),
    ),
    h(
      'div',
      { class: 'actions' },
      button('start-another', 'Start another application', { onClick: onStartAnother }),
    ),
  )
  return {
    root,
    heading,
    show({ saved }: SessionStatus): void {
      const isReceived = saved.server === 'yes'
      root.dataset['received'] = String(isReceived)
      setText(heading, isReceived ? 'Application received' : 'Application finished, not sent yet')
      setText(
        lead,
        isReceived
          ? 'You do not need to do anything now.'
          : 'It will be sent as soon as the server can be reached from this device. Keep this page open, or come back to it.',
      )
    },
  }
}
