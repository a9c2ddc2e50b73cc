import type { Issue, SessionSnapshot } from 'waymark'
import type { Housing } from '../flow.ts'
import { type StepWords, wordsOf } from '../questions.ts'
import { createField, type Field } from './field.ts'
import { createItemList } from './item-list.ts'
import { createReview } from './review.ts'
import type { StepPort } from './step-port.ts'

export type Snapshot = SessionSnapshot<Housing>

/** The part of a step's page between its heading and its buttons. */
export interface StepBody {
  readonly roots: readonly HTMLElement[]
  show(snapshot: Snapshot): void
  /** Which item an issue is about, where a step has several; else empty. */
  readonly whereOf?: (issue: Issue) => string
  /** The field an issue is about. */
  fieldOf(issue: Issue): Field | undefined
  readonly fields: () => Iterable<Field>
}

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
