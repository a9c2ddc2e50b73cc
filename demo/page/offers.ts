import type { Session } from 'waymark'
import type { Housing } from '../flow.ts'
import { conflictBox } from './conflict-box.ts'
import { button, byId, focusOn, h } from './dom.ts'
import { forkBox } from './fork-box.ts'

/** What needs a decision: values that lost a conflict, what came too late, and changes the server did not accept. */
export function showOffers(session: Session<Housing>, onStartFork: () => void): () => void {
  const root = byId('offers')
  let shown = ''

  function show(): void {
    const { parked } = session.status.getSnapshot()
    const { status } = session.getSnapshot()
    const { conflicts, fork } = session
    const open = conflicts.filter(({ isLate }) => !isLate)
    const now = JSON.stringify([
      conflicts.map(({ id, kept }) => [id, kept]),
      parked?.at,
      parked?.reason,
      status,
    ])
    if (now === shown) return
    shown = now
    const hadFocus = root.contains(document.activeElement)
    root.replaceChildren(
      ...(parked === undefined ? [] : [parkedBox(parked)]),
      ...(fork === undefined ? [] : [forkBox(session, fork, onStartFork)]),
      ...open.map((conflict) => conflictBox(session, conflict)),
    )
    if (hadFocus) focusOn(root)
  }

  /** A finish that was refused is taken back, to mend what the server named. */
  function reopen(): void {
    void session.reopen()
  }

  function parkedBox(parked: { reason: string; issues: readonly { step: string; message: string }[] }) {
    const steps = session.getSnapshot().progress.steps
    return h(
      'section',
      { class: 'offer', 'data-parked': true, 'aria-label': 'Not accepted by the server' },
      h('h2', {}, 'The server did not accept your changes'),
      h(
        'p',
        {},
        'They are kept on this device, and sent again when you change them.',
        parked.issues.length > 0 ? '' : ` Reason: ${parked.reason}.`,
      ),
      h(
        'ul',
        {},
        ...parked.issues.map(({ step, message }) => {
          const title = steps.find(({ id }) => id === step)?.title ?? step
          return h('li', {}, h('a', { href: `#${step}` }, title), `: ${message}`)
        }),
      ),
      h(
        'div',
        { class: 'actions' },
        ...(session.getSnapshot().status === 'done'
          ? [button('reopen', 'Change my answers', { onClick: reopen })]
          : []),
        button('retry', 'Send again', { onClick: () => void session.retry() }),
        button('discard', 'Go back to what the server has', {
          look: 'quiet',
          onClick: () => void session.discard(),
        }),
      ),
    )
  }

  const stops = [session.subscribe(show), session.status.subscribe(show), session.on('conflict', show)]
  show()
  return () => {
    for (const stop of stops) stop()
    root.replaceChildren()
  }
}
