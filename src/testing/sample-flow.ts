import { defineFlow } from '../flow/define-flow.ts'
import type { Typist } from './typist.ts'

const steps = {
  about: { title: 'About you' },
  partner: { title: 'Your partner', when: isJoint },
  incomes: { title: 'Income', each: anItem() },
  notes: { title: 'Anything else', optional: true },
  address: { title: 'Where you live', schema: anAddress() },
  review: { title: 'Check your answers', optional: true },
}

/** What a simulation goes through where it is given no flow: a branch, a list, an optional step, a required field. */
export const sampleFlow = defineFlow({ id: 'sample', version: 1, title: 'Sample', steps })

/** What is deployed in the middle of it. */
export const newerSampleFlow = defineFlow({
  id: 'sample',
  version: 2,
  title: 'Sample',
  steps: { ...steps, thanks: { title: 'How you heard of us', optional: true } },
})

/** What people type into it. */
export const sampleTyping = {
  about: (typist: Typist) => ({
    name: typist.text(),
    born: typist.text(),
    isJoint: typist.flag(),
    contact: { mail: `${typist.text()}@example.org`, phone: typist.text() },
  }),
  partner: (typist: Typist) => ({ name: typist.text(), job: typist.text() }),
  incomes: (typist: Typist) => ({ source: typist.text(), amount: typist.whole(100_000) }),
  notes: (typist: Typist) => ({ text: typist.text(), tags: [typist.text(), typist.text()] }),
  address: (typist: Typist) => ({ street: typist.text(), town: typist.text() }),
  review: (typist: Typist) => ({ remark: typist.text() }),
  thanks: (typist: Typist) => ({ from: typist.text() }),
}

function isJoint({ about }: { readonly about?: { readonly isJoint?: unknown } | undefined }): boolean {
  return about?.isJoint === true
}

function anItem() {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'waymark',
      validate: (value: unknown) => ({ value: value as { source: string; amount: number } }),
    },
  }
}

/** Asks for a street, so that a step can be invalid. */
function anAddress() {
  return {
    '~standard': {
      version: 1 as const,
      vendor: 'waymark',
      validate: (value: unknown) =>
        (value as { street?: unknown } | undefined)?.street === undefined
          ? { issues: [{ message: 'Enter a street', path: ['street'] }] }
          : { value: value as { street: string; town: string } },
    },
  }
}
