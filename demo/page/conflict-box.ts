import type { Conflict, Session } from 'waymark'
import type { Housing } from '../flow.ts'
import { type Question, wordsOf } from '../questions.ts'
import { button, h } from './dom.ts'
import { toShortText, toWords } from './values.ts'
import { clockTime } from './when.ts'

/** One field that two windows or devices wrote: what stands, what else was written, and a button for each. */
export function conflictBox(session: Session<Housing>, conflict: Conflict): HTMLElement {
  const settle = (choice: 'keep' | 'restore') => () => session.resolve(conflict.id, choice)
  const { title, lead, keep, restore } = wordsFor(session, conflict)
  return h(
    'section',
    { class: 'offer', 'data-conflict': conflict.id, 'aria-label': title },
    h('h2', {}, title),
    h('p', {}, lead),
    h(
      'div',
      { class: 'actions' },
      button('keep', keep, { onClick: settle('keep') }),
      button('restore', restore, { onClick: settle('restore') }),
    ),
  )
}

function wordsFor(session: Session<Housing>, conflict: Conflict) {
  const { step, field, item, value, kept, at, isAsking } = conflict
  const question = wordsOf(step)?.questions.find(({ name }) => name === field)
  const place =
    [question?.label, itemName(session, step, item)].filter(Boolean).join(', ') || stepTitle(session, step)
  if (item !== undefined && field === undefined && value === undefined) {
    return {
      title: `Removed in one place, changed in another: ${place}`,
      lead: `It was removed at ${clockTime(at)}. Kept for now: ${inWords(question, kept)}.`,
      keep: 'Keep it',
      restore: 'Remove it',
    }
  }
  return {
    title: `${isAsking ? 'Which is right?' : 'Written in two places:'} ${place}`,
    lead: `Another window or device had ${inWords(question, value)}, last changed at ${clockTime(at)}. Kept for now: ${inWords(question, kept)}.`,
    keep: 'Keep what is here',
    restore: `Use ${inWords(question, value)}`,
  }
}

/** `Child 2`: as its heading says; without a number once it is gone. */
function itemName(session: Session<Housing>, step: string, key: string | undefined): string | undefined {
  if (key === undefined) return undefined
  const list = (session.getSnapshot().answers as { readonly [step: string]: unknown })[step]
  const at = Array.isArray(list) ? (list as { key: string }[]).findIndex((item) => item.key === key) : -1
  return `${wordsOf(step)?.item?.name ?? 'Item'}${at < 0 ? '' : ` ${at + 1}`}`
}

function inWords(question: Question | undefined, value: Conflict['value']): string {
  const isChoice = question?.kind === 'choice' || question?.kind === 'select'
  return toShortText((isChoice && toWords(question, { [question.name]: value })) || value)
}

export function stepTitle(session: Session<Housing>, step: string): string {
  return session.getSnapshot().progress.steps.find(({ id }) => id === step)?.title ?? step
}
