import type { Resumable } from 'waymark'
import { button, h } from './dom.ts'
import { absoluteTime, relativeTime } from './when.ts'

export type ResumeChoice = 'continue' | 'start-over'

/** Asks whether to continue; closing the dialog continues, since that loses nothing. */
export function askToResume(found: Resumable): Promise<ResumeChoice> {
  const { step, progress, savedAt } = found
  const least = progress.max > progress.min ? 'at least ' : ''
  return ask((choose) => ({
    title: 'Continue where you left off?',
    content: [
      h(
        'dl',
        { class: 'resume' },
        h('div', {}, h('dt', {}, 'Step'), h('dd', { 'data-resume': 'step' }, step.title)),
        h(
          'div',
          {},
          h('dt', {}, 'How far'),
          h('dd', { 'data-resume': 'progress' }, `${progress.done} of ${least}${progress.min} steps done`),
        ),
        h(
          'div',
          {},
          h('dt', {}, 'Saved'),
          h(
            'dd',
            { 'data-resume': 'saved' },
            relativeTime(savedAt, Date.now()),
            h('span', { class: 'secondary' }, absoluteTime(savedAt)),
          ),
        ),
      ),
    ],
    buttons: [
      button('continue', 'Continue', { look: 'primary', onClick: () => choose('continue') }),
      button('start-over', 'Start over', {
        onClick: () => void askToStartOver().then((isSure) => isSure && choose('start-over')),
      }),
    ],
    dismissed: 'continue' as const,
  }))
}

/** Asks again before answers are cleared. */
export function askToStartOver(): Promise<boolean> {
  return ask((choose) => ({
    title: 'Clear your answers and start over?',
    content: [
      h('p', {}, 'Everything entered in this application will be cleared, on this device and on the server.'),
    ],
    buttons: [
      button('cancel-start-over', 'Keep my answers', { look: 'primary', onClick: () => choose(false) }),
      button('confirm-start-over', 'Clear and start over', { onClick: () => choose(true) }),
    ],
    dismissed: false,
  }))
}

interface DialogParts<T> {
  readonly title: string
  readonly content: readonly HTMLElement[]
  /** The first gets the focus. */
  readonly buttons: readonly HTMLButtonElement[]
  /** The answer where the dialog is closed without one. */
  readonly dismissed: T
}

let dialogs = 0

function ask<T>(make: (choose: (choice: T) => void) => DialogParts<T>): Promise<T> {
  return new Promise((resolve) => {
    let choice: { readonly is: T } | undefined
    const { title, content, buttons, dismissed } = make((is) => {
      choice = { is }
      dialog.close()
    })
    const id = `dialog-${++dialogs}`
    buttons[0]?.setAttribute('autofocus', '')
    const dialog = h(
      'dialog',
      { 'aria-labelledby': `${id}-title`, 'aria-describedby': `${id}-content` },
      h('h2', { id: `${id}-title` }, title),
      h('div', { id: `${id}-content` }, ...content),
      h('div', { class: 'actions' }, ...buttons),
    )
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(choice === undefined ? dismissed : choice.is)
    })
    document.body.append(dialog)
    dialog.showModal()
  })
}
