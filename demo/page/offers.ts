import type { Conflict, Session } from 'waymark'
import type { Housing } from '../flow.ts'
import { wordsOf } from '../questions.ts'
import { button, byId, focusOn, h } from './dom.ts'
import { textAt, toShortText } from './values.ts'
import { clockTime } from './when.ts'

/** What needs a decision: values that lost a conflict, and changes the server did not accept. */
export function showOffers(session: Session<Housing>): () => void {
  const root = byId('offers')
  let shown = ''

  function show(): void {
    const { parked } = session.status.getSnapshot()
    const { status } = session.getSnapshot()
    const now = JSON.stringify([session.conflicts.map(({ id }) => id), parked?.at, parked?.reason, status])
    if (now === shown) return
    shown = now
    const hadFocus = root.contains(document.activeElement)
    root.replaceChildren(
      ...(parked === undefined ? [] : [parkedBox(parked)]),
      ...session.conflicts.map((conflict) => conflictBox(conflict)),
    )
    if (hadFocus) focusOn(root)
  }

  function conflictBox(conflict: Conflict): HTMLElement {
    const [, ...members] = conflict.path.split('/')
    const answers = session.getSnapshot().answers as { readonly [step: string]: unknown }
    const kept = textAt(answers[conflict.step], members)
    const settle = (choice: 'keep' | 'restore') => () => session.resolve(conflict.id, choice)
    return h(
      'section',
      { class: 'offer', 'data-conflict': conflict.id, 'aria-label': 'Written in two places' },
      h('h2', {}, `Written in two places: ${labelOf(session, conflict.step, members)}`),
      h(
        'p',
        {},
        `Another window or device had ${toShortText(conflict.value)}, last changed at ${clockTime(conflict.at)}. `,
        kept === '' ? '' : `Kept for now: ${toShortText(kept)}.`,
      ),
      h(
        'div',
        { class: 'actions' },
        button('keep', 'Keep what is here', { onClick: settle('keep') }),
        button('restore', `Use ${toShortText(conflict.value)}`, { onClick: settle('restore') }),
      ),
    )
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
      session.getSnapshot().status === 'done'
        ? h('div', { class: 'actions' }, button('reopen', 'Change my answers', { onClick: reopen }))
        : undefined,
    )
  }

  const stops = [session.subscribe(show), session.status.subscribe(show), session.on('conflict', show)]
  show()
  return () => {
    for (const stop of stops) stop()
    root.replaceChildren()
  }
}

function labelOf(session: Session<Housing>, step: string, members: readonly string[]): string {
  const title = session.getSnapshot().progress.steps.find(({ id }) => id === step)?.title ?? step
  const question = wordsOf(step)?.questions.find(({ name }) => members.includes(name))
  return question?.label ?? title
}
