import type { Fork, Session } from 'waymark'
import type { Housing } from '../flow.ts'
import { stepTitle } from './conflict-box.ts'
import { button, h, setText } from './dom.ts'
import { toShortText } from './values.ts'
import { absoluteTime } from './when.ts'

/** What was entered elsewhere after the application was sent: it can begin another, or be let go. */
export function forkBox(
  session: Session<Housing>,
  { conflicts }: Pick<Fork, 'conflicts'>,
  onStart: () => void,
): HTMLElement {
  const heading = h('h2', {}, 'Already sent')
  const dismiss = () => {
    for (const { id } of conflicts) session.resolve(id, 'keep')
  }
  void sentAt(session).then((at) => {
    if (at !== undefined) setText(heading, `Already sent on ${absoluteTime(at)}`)
  })
  return h(
    'section',
    { class: 'offer', 'data-fork': true, 'aria-label': 'Already sent' },
    heading,
    h(
      'p',
      {},
      'What was entered in another window or on another device after that is not part of the application:',
    ),
    h(
      'ul',
      {},
      ...conflicts.map(({ step, value }) =>
        h('li', {}, `${stepTitle(session, step)}: ${toShortText(value)}`),
      ),
    ),
    h(
      'div',
      { class: 'actions' },
      button('dismiss-fork', 'Let it go', { onClick: dismiss }),
      button('start-fork', 'Start another application with it', { onClick: onStart }),
    ),
  )
}

/** When the application was finished, as the history tells; nobody waits for it. */
async function sentAt(session: Session<Housing>): Promise<number | undefined> {
  try {
    const entries = await session.history()
    return entries.find(({ changes = [] }) =>
      changes.some(
        (change) =>
          (change.type === 'status' && change.to === 'done') ||
          (change.type === 'merged' && change.patch.some(({ path }) => path === '/status')),
      ),
    )?.at
  } catch {
    return undefined // the history is a chunk of its own: offline it may be missing, and the box says enough without
  }
}
