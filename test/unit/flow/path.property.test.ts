import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Flow } from '../../../src/flow/definition.ts'
import { pathOf } from '../../../src/flow/path.ts'
import type { Answers, Finish, StepId } from '../../../src/record/state.ts'
import { arbitraryAnswers, arbitraryCompletion, arbitraryFlow, walkPlainly } from './arbitrary-flow.ts'

const runs = { numRuns: 1000 }
const finishAll = (flow: Flow): { [step: StepId]: Finish } =>
  Object.fromEntries([...flow.leaves.keys()].map((step) => [step, 'valid' as const]))

describe('pathOf', () => {
  test('is the plain walk once every step is finished', () => {
    fc.assert(
      fc.property(
        arbitraryFlow({ isForward: false }).chain((flow) =>
          fc.tuple(fc.constant(flow), arbitraryAnswers(flow)),
        ),
        ([flow, answers]) => {
          const path = pathOf(flow, answers, finishAll(flow))
          expect(path.undecided).toEqual([])
          expect(path.errors).toEqual([])
          expect(path.steps).toEqual(walkPlainly(flow, answers))
        },
      ),
      runs,
    )
  }, 60_000)

  test('lies within every way the unanswered fields may still be answered, and covers all of them', () => {
    const scenario = arbitraryFlow({ isForward: false })
      .chain((flow) =>
        fc.tuple(fc.constant(flow), arbitraryAnswers(flow), fc.array(fc.constantFrom(...flow.leaves.keys()))),
      )
      .chain(([flow, answers, done]) => {
        const finished = Object.fromEntries(done.map((step) => [step, 'valid' as const]))
        const path = pathOf(flow, answers, finished)
        const open = [...path.steps, ...path.undecided].filter((step) => !Object.hasOwn(finished, step))
        return fc.tuple(
          fc.constant({ flow, answers, path }),
          open.length === 0 ? fc.constant<Answers>(answers) : arbitraryCompletion(answers, open),
        )
      })
    fc.assert(
      fc.property(scenario, ([{ flow, path }, completed]) => {
        const walked = walkPlainly(flow, completed)
        expect(walked).toEqual(expect.arrayContaining([...path.steps]))
        expect([...path.steps, ...path.undecided]).toEqual(expect.arrayContaining([...walked]))
      }),
      runs,
    )
  }, 60_000)

  test('is the same whatever the flow was asked before', () => {
    const scenario = arbitraryFlow({ isForward: false }).chain((flow) => {
      const ids = [...flow.leaves.keys()]
      const step = fc.constantFrom(...ids)
      const value = fc.record({ x: fc.integer({ min: 0, max: 1 }) }, { requiredKeys: [] })
      const edit = fc.record({ step, value: fc.option(value, { nil: undefined }), isFinished: fc.boolean() })
      return fc.tuple(fc.constant(flow), fc.array(edit, { maxLength: 12 }))
    })
    fc.assert(
      fc.property(scenario, ([flow, edits]) => {
        let answers: Answers = {}
        let finished: { [step: StepId]: Finish } = {}
        for (const { step, value, isFinished } of edits) {
          answers = { ...answers, [step]: value }
          const { [step]: _, ...others } = finished
          finished = isFinished ? { ...others, [step]: 'valid' } : others
          const forgetful = { ...flow, '~paths': new WeakMap(), '~verdicts': new WeakMap() }
          expect(pathOf(flow, answers, finished)).toEqual(pathOf(forgetful, answers, finished))
        }
      }),
      runs,
    )
  }, 60_000)
})
