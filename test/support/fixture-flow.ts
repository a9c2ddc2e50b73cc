import { z } from 'zod'
import { defineFlow } from '../../src/flow/define-flow.ts'

/** The wizard most tests walk through: a branch, an optional step, repeated items, a review. */
export const mortgage = defineFlow({
  id: 'mortgage',
  version: 1,
  title: 'Mortgage application',
  steps: {
    applicant: { title: 'About you', schema: z.object({ name: z.string().min(1), joint: z.boolean() }) },
    partner: {
      title: 'Your partner',
      schema: z.object({ name: z.string().min(1) }),
      when: ({ applicant }) => applicant?.joint === true,
    },
    incomes: { title: 'Income', each: z.object({ source: z.string().min(1), amount: z.number() }) },
    notes: { title: 'Anything else', optional: true },
    review: { title: 'Check your answers' },
  },
})
