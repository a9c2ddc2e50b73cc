import type { Issue } from 'waymark'
import { wordsOf } from '../questions.ts'
import type { Snapshot } from './body.ts'
import { button, h, setText } from './dom.ts'
import { createErrorSummary } from './error-summary.ts'
import { createStepBody } from './step-body.ts'
import type { StepPort } from './step-port.ts'

export interface StepActions {
  next(): void
  back(): void
  skip(): void
  startOver(): void
}

export interface StepPageOptions {
  readonly step: string
  readonly title: string
  readonly port: StepPort
  readonly actions: StepActions
  /** What the main button says. */
  readonly nextLabel: string
  /** Why the person is here, where they did not ask to be. */
  readonly notice: string | undefined
  /** Says something to those who do not see the page. */
  readonly tell: (news: string) => void
}

export interface StepPage {
  readonly root: HTMLElement
  readonly heading: HTMLElement
  show(snapshot: Snapshot, refused: ReadonlyMap<string, string>): void
  focusErrors(): void
  setNotice(text: string): void
}

/** A step: heading, what is wrong, questions, ways on and back. */
export function createStepPage(options: StepPageOptions): StepPage {
  const { step, title, port, actions, tell } = options
  const { lead } = wordsOf(step)
  const body = createStepBody(step, port, tell)
  const heading = h('h1', { tabindex: -1 }, title)
  const summary = createErrorSummary(body)
  const notice = h('p', { class: 'notice', role: 'alert', hidden: options.notice === undefined })
  setText(notice, options.notice ?? '')
  const next = h(
    'button',
    { type: 'submit', class: 'button primary', 'data-action': 'next' },
    options.nextLabel,
  )
  // The second click of a double click would ask to finish the next step, untouched.
  next.addEventListener('click', (event) => {
    if (event.detail > 1) event.preventDefault()
  })
  const back = button('back', 'Back', { onClick: actions.back })
  const skip = button('skip', 'Skip this step', { onClick: actions.skip })
  const startOver = button('begin-again', 'Start over', { look: 'quiet', onClick: actions.startOver })
  const form = h(
    'form',
    { novalidate: true, autocomplete: 'on' },
    ...body.roots,
    h('div', { class: 'actions' }, next, skip, back),
    h('p', { class: 'aside' }, startOver),
  )
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    actions.next()
  })
  form.addEventListener('focusout', port.commit)
  // Safari does not focus a radio button that is clicked, so focus never leaves it.
  form.addEventListener('change', port.commit)
  const root = h(
    'div',
    { class: 'step', 'data-step': step },
    summary.root,
    notice,
    heading,
    ...(lead === undefined ? [] : [h('p', { class: 'lead' }, lead)]),
    form,
  )

  return {
    root,
    heading,
    show(snapshot, refused) {
      body.show(snapshot)
      const issues = firstPerField(snapshot.issues.filter((issue) => issue.step === step))
      const messages = messagesBy(issues, body.fieldOf)
      for (const field of body.fields()) {
        field.setError(refused.get(field.first.id) ?? messages.get(field.first.id))
      }
      summary.show(issues)
      const { steps } = snapshot.progress
      const at = steps.findIndex(({ id }) => id === step)
      back.hidden = !steps.slice(0, at).some(({ isReachable }) => isReachable)
      skip.hidden = steps[at]?.isOptional !== true
    },
    focusErrors: summary.focus,
    setNotice(text) {
      setText(notice, text)
      notice.hidden = false
    },
  }
}

/** A schema may object to a field more than once: the first is the one to mend first. */
function firstPerField(issues: readonly Issue[]): readonly Issue[] {
  return issues.filter(({ path }, i) => issues.findIndex((other) => other.path === path) === i)
}

function messagesBy(
  issues: readonly Issue[],
  fieldOf: (issue: Issue) => { readonly first: HTMLElement } | undefined,
): ReadonlyMap<string, string> {
  const messages = new Map<string, string>()
  for (const issue of issues) {
    const id = fieldOf(issue)?.first.id
    if (id !== undefined) messages.set(id, issue.message)
  }
  return messages
}
