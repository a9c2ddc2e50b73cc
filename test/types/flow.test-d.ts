import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { Json } from '../../src/base/json.ts'
import type { Waymark } from '../../src/client/create-waymark.ts'
import type { AnswersOf, StepIdOf, StepInput } from '../../src/flow/answers-of.ts'
import { defineFlow } from '../../src/flow/define-flow.ts'
import type { Flow } from '../../src/flow/definition.ts'
import { needsAttention } from '../../src/flow/needs-attention.ts'
import { pathOf } from '../../src/flow/path.ts'
import { progressOf } from '../../src/flow/progress.ts'
import { reachableSteps } from '../../src/flow/reachable-steps.ts'
import { submission } from '../../src/flow/submission.ts'
import { validateStep } from '../../src/flow/validate-step.ts'
import type { Answers, StepAnswers } from '../../src/record/state.ts'

const work = defineFlow({
  id: 'work',
  title: 'Work',
  steps: {
    employer: { title: 'Employer', schema: z.object({ name: z.string(), isLarge: z.boolean() }) },
    size: { title: 'Size', when: ({ employer }) => employer?.isLarge === true },
  },
})

const flow = defineFlow({
  id: 'mortgage',
  version: 3,
  title: 'Mortgage',
  steps: {
    applicant: {
      title: 'About you',
      schema: z.object({ name: z.string(), joint: z.boolean(), address: z.object({ city: z.string() }) }),
    },
    partner: {
      title: 'Your partner',
      schema: z.object({ age: z.coerce.number<string>() }),
      when: ({ applicant }) => applicant?.joint === true,
      next: [{ to: 'income', when: ({ applicant }) => applicant?.address?.city === 'Paris' }],
    },
    income: { title: 'Income', flow: work, optional: true, weight: 2 },
    children: {
      title: 'Children',
      each: z.object({ name: z.string() }),
      when: (answers) => answers['income.employer']?.isLarge !== true,
    },
    notes: {
      title: 'Notes',
      when: ({ children }) => children?.some((child) => child.name === 'Ada' && child.key !== '') === true,
    },
  },
})
type Mortgage = typeof flow

test('StepIdOf lists the leaf steps, those of sub-flows under their parent', () => {
  expectTypeOf<StepIdOf<Mortgage>>().toEqualTypeOf<
    'applicant' | 'partner' | 'income.employer' | 'income.size' | 'children' | 'notes'
  >()
  // @ts-expect-error a sub-flow holds no answers of its own
  const parent: StepIdOf<Mortgage> = 'income'
  return parent
})

test('AnswersOf is the input of each schema, partial at any depth', () => {
  const answers = {} as AnswersOf<Mortgage>
  expectTypeOf(answers.applicant?.name).toEqualTypeOf<string | undefined>()
  expectTypeOf(answers.applicant?.address?.city).toEqualTypeOf<string | undefined>()
  expectTypeOf(answers.partner?.age).toEqualTypeOf<string | undefined>()
  expectTypeOf(answers['income.employer']?.isLarge).toEqualTypeOf<boolean | undefined>()
  expectTypeOf(answers.children?.[0]?.key).toEqualTypeOf<string | undefined>()
  expectTypeOf(answers.children?.[0]?.name).toEqualTypeOf<string | undefined>()
  expectTypeOf(answers.notes?.['anything']).toEqualTypeOf<Json | undefined>()
  // @ts-expect-error the schema has no such field
  answers.applicant?.nmae
  // @ts-expect-error there is no such step
  answers.aplicant
})

test('StepInput is what setting a step takes', () => {
  expectTypeOf<{ name: string }>().toExtend<StepInput<Mortgage, 'applicant'>>()
  expectTypeOf<{ key: string; name: string }[]>().toExtend<StepInput<Mortgage, 'children'>>()
  expectTypeOf<{ isLarge: boolean }>().toExtend<StepInput<Mortgage, 'income.employer'>>()
  expectTypeOf<{ any: string[] }>().toExtend<StepInput<Mortgage, 'notes'>>()
  // @ts-expect-error the input of the schema is a text, its output a number
  const age: StepInput<Mortgage, 'partner'> = { age: 3 }
  // @ts-expect-error an item has a key
  const item: StepInput<Mortgage, 'children'> = [{ name: 'Ada' }]
  // @ts-expect-error a date is no JSON
  const date: StepInput<Mortgage, 'notes'> = { at: new Date() }
  return [age, item, date]
})

test('defineFlow keeps the id and fits where any flow is taken', () => {
  expectTypeOf(flow.id).toEqualTypeOf<'mortgage'>()
  expectTypeOf(flow).toExtend<Flow>()
  expectTypeOf<StepIdOf<Flow>>().toEqualTypeOf<string>()
  expectTypeOf<AnswersOf<Flow>>().toEqualTypeOf<Answers>()
  expectTypeOf<StepInput<Flow, string>>().toEqualTypeOf<StepAnswers>()
})

test('defineFlow refuses what cannot be', () => {
  defineFlow({
    id: 'x',
    title: 'X',
    steps: {
      // @ts-expect-error a step has no such member
      typo: { title: 'A', whne: () => true },
      // @ts-expect-error a step has a title
      untitled: {},
      // @ts-expect-error next leads to a step of this flow
      lost: { title: 'A', next: [{ to: 'nowhere' }] },
      // @ts-expect-error a number is no schema
      number: { title: 'A', schema: 3 },
      // @ts-expect-error a sub-flow is the result of defineFlow
      loose: { title: 'A', flow: { id: 'y' } },
      // @ts-expect-error a condition sees the steps of this flow only
      blind: { title: 'A', when: (answers) => answers.nowhere !== undefined },
      // @ts-expect-error a condition gives true or false
      vague: { title: 'A', when: () => 'yes' },
    },
  })
})

// The functions of a flow take what a session shows, typed as it is, without a cast.
test('the functions take a snapshot as it is', () => {
  const usesSnapshot = async (waymark: Waymark<typeof flow>) => {
    const snapshot = (await waymark.open('mortgage')).getSnapshot()
    pathOf(flow, snapshot.answers, snapshot.finished)
    submission(flow, snapshot.answers)
    needsAttention(flow, snapshot)
    reachableSteps(flow, snapshot)
    progressOf(flow, snapshot, snapshot.step)
    await validateStep(flow, 'applicant', snapshot.answers)
  }
  expectTypeOf(usesSnapshot).returns.resolves.toBeVoid()
})

test('a fork has answers typed by the flow, and begins another session', () => {
  const usesFork = async (waymark: Waymark<typeof flow>) => {
    const session = await waymark.open('mortgage')
    if (session.fork === undefined) return undefined
    expectTypeOf(session.fork.answers.applicant?.name).toEqualTypeOf<string | undefined>()
    // @ts-expect-error the step has no such field
    await waymark.start('mortgage', { answers: { applicant: { nmae: 'Ada' } } })
    return waymark.start('mortgage', { answers: session.fork.answers })
  }
  expectTypeOf(usesFork).returns.resolves.not.toBeAny()
})

test('merge policies are typed by the fields of the step, of its items, or any', () => {
  defineFlow({
    id: 'x',
    title: 'X',
    steps: {
      you: {
        title: 'You',
        schema: z.object({ email: z.string(), age: z.number(), home: z.object({ city: z.string() }) }),
        merge: {
          email: 'ask',
          age: (base, ours, theirs) => {
            expectTypeOf(base).toEqualTypeOf<number | undefined>()
            return Math.max(ours ?? 0, theirs ?? 0)
          },
          home: (_, ours) => {
            expectTypeOf(ours?.city).toEqualTypeOf<string | undefined>()
            return ours
          },
          '*': 'theirs',
        },
        when: ({ children }) => children?.[0]?.name === 'Ada',
      },
      children: {
        title: 'Children',
        each: z.object({ name: z.string() }),
        merge: { name: (_, ours, theirs) => ours ?? theirs },
      },
      notes: {
        title: 'Notes',
        merge: {
          any: (_, ours) => {
            expectTypeOf(ours).toEqualTypeOf<Json | undefined>()
            return ours
          },
        },
      },
      // @ts-expect-error the schema has no such field
      unknown: { title: 'A', schema: z.object({ a: z.string() }), merge: { b: 'ask' } },
      // @ts-expect-error there is no such policy
      typo: { title: 'A', schema: z.object({ a: z.string() }), merge: { a: 'newest' } },
      // @ts-expect-error the field is a text
      wrong: { title: 'A', schema: z.object({ a: z.string() }), merge: { a: () => 1 } },
      // @ts-expect-error a sub-flow's own steps have policies
      parent: { title: 'A', flow: work, merge: { '*': 'ask' } },
    },
  })
})

test('sensitive fields are named as the schema, or its items, name them', () => {
  defineFlow({
    id: 'x',
    title: 'X',
    steps: {
      bank: {
        title: 'Bank',
        schema: z.union([z.object({ iban: z.string() }), z.object({ number: z.number() })]),
        sensitive: ['iban', 'number'],
        when: ({ people }) => people?.[0]?.name === 'Ada',
      },
      people: { title: 'People', each: z.object({ name: z.string() }), sensitive: ['name'] },
      notes: { title: 'Notes', sensitive: ['anything'] },
      // @ts-expect-error the schema has no such field
      typo: { title: 'A', schema: z.object({ a: z.string() }), sensitive: ['b'] },
      // @ts-expect-error a sub-flow's own steps name theirs
      parent: { title: 'A', flow: work, sensitive: ['employer'] },
    },
  })
})
