import type { KeyedItem } from 'waymark'
import { wordsOf } from '../questions.ts'
import type { Snapshot } from './body.ts'
import { h } from './dom.ts'
import { toWords } from './values.ts'

/** Every answer that will be sent, step by step, each with a way back to it. */
export function createReview(): { readonly root: HTMLElement; show(snapshot: Snapshot): void } {
  const root = h('div', { class: 'review' })
  let shown = ''
  return {
    root,
    show({ answers, progress }) {
      const steps = progress.steps.filter(({ id, state }) => id !== 'review' && state !== 'undecided')
      const all = answers as { readonly [step: string]: unknown }
      const now = JSON.stringify(steps.map(({ id, state, isReachable }) => [id, state, isReachable, all[id]]))
      if (now === shown) return
      shown = now
      root.replaceChildren(
        ...steps.map(({ id, title, state, isReachable }) => {
          const change = h(
            'a',
            { href: `#${id}`, 'data-action': 'change', 'data-change': id },
            'Change',
            h('span', { class: 'unseen' }, `: ${title}`),
          )
          return h(
            'section',
            { class: 'answers', 'data-answers': id },
            h('div', { class: 'answers-head' }, h('h2', {}, title), isReachable ? change : undefined),
            ...(state === 'skipped'
              ? [h('p', { class: 'not-given' }, 'Skipped')]
              : state === 'todo'
                ? [h('p', { class: 'error' }, 'This step is not finished yet')]
                : []),
            ...listsOf(id, all[id], state === 'skipped'),
          )
        }),
      )
    },
  }
}

function listsOf(step: string, answers: unknown, isSkipped: boolean): readonly HTMLElement[] {
  const { questions, item } = wordsOf(step)
  const listOf = (prefix: string, of: unknown) =>
    h(
      'dl',
      {},
      ...questions.map((question) => {
        const value = toWords(question, of)
        return h(
          'div',
          {},
          h('dt', {}, question.label),
          h(
            'dd',
            { 'data-answer': `${prefix}.${question.name}`, class: value === '' && 'not-given' },
            value || 'Not given',
          ),
        )
      }),
    )
  if (item === undefined) return isSkipped ? [] : [listOf(step, answers)]
  const items = (answers ?? []) as readonly KeyedItem[]
  if (items.length === 0) return [h('p', { class: 'not-given' }, item.empty)]
  return items.flatMap((one, i) => [h('h3', {}, `${item.name} ${i + 1}`), listOf(`${step}.${one.key}`, one)])
}
