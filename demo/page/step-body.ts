import { type StepWords, wordsOf } from '../questions.ts'
import type { StepBody } from './body.ts'
import { createField, type Field } from './field.ts'
import { createItemList } from './item-list.ts'
import { createReview } from './review.ts'
import type { StepPort } from './step-port.ts'

export function createStepBody(step: string, port: StepPort, tell: (news: string) => void): StepBody {
  const words = wordsOf(step)
  if (words.item !== undefined) return createItemList(step, { ...words, item: words.item }, port, tell)
  const form = createFields(step, words, port)
  if (step !== 'review') return form
  const review = createReview()
  return {
    ...form,
    roots: [review.root, ...form.roots],
    show(snapshot) {
      review.show(snapshot)
      form.show(snapshot)
    },
  }
}

function createFields(step: string, { questions }: StepWords, port: StepPort): StepBody {
  const fieldByName = new Map(
    questions.map((question): [string, Field] => [
      question.name,
      createField(question, { prefix: step, onInput: (fields) => port.set(fields) }),
    ]),
  )
  return {
    roots: [...fieldByName.values()].map((field) => field.root),
    show({ answers }) {
      const own: unknown = (answers as { readonly [step: string]: unknown })[step]
      for (const field of fieldByName.values()) field.show(own)
    },
    fieldOf: ({ path }) => fieldByName.get(path.split('/')[1] ?? ''),
    fields: () => fieldByName.values(),
  }
}
