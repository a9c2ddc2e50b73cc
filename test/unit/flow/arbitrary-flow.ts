/** Random flows over the fields `x` and `y`, random answers to them, and a walk that knows nothing of proxies. */
import fc from 'fast-check'
import type { JsonObject } from '../../../src/base/json.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Flow, StepNode } from '../../../src/flow/definition.ts'
import type { StandardSchemaV1 } from '../../../src/flow/standard-schema.ts'
import type { Answers, StepAnswers, StepId } from '../../../src/record/state.ts'

const keys = ['a', 'b', 'c', 'd', 'e', 'f'] as const
const fields = ['x', 'y'] as const
type Test = (answers: Answers) => boolean

const readers: Record<string, (step: StepId, field: string) => Test> = {
  equal: (step, field) => (answers) => (answers[step] as JsonObject | undefined)?.[field] === 1,
  unequal: (step, field) => (answers) => (answers[step] as JsonObject | undefined)?.[field] !== 1,
  has: (step, field) => (answers) => field in (answers[step] ?? {}),
  spread: (step, field) => (answers) => ({ ...(answers[step] as JsonObject) })[field] === 1,
  keys: (step) => (answers) => Object.keys(answers[step] ?? {}).length > 1,
  text: (step) => (answers) => JSON.stringify(answers[step] ?? null).includes('"x":1'),
  throws: (step, field) => (answers) => (answers[step] as JsonObject)[field] === 1,
  whole: (step, field) => (answers) =>
    Object.entries(answers).some(([id, value]) => id === step && (value as JsonObject)[field] === 1),
}

const condition = (ids: readonly StepId[]): fc.Arbitrary<Test> =>
  fc
    .tuple(fc.constantFrom(...Object.keys(readers)), fc.constantFrom(...ids), fc.constantFrom(...fields))
    .map(([reader, step, field]) => readers[reader]!(step, field))

const wantsX = (isAsync: boolean): StandardSchemaV1<JsonObject> => ({
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const result =
        (value as JsonObject)['x'] === undefined
          ? { issues: [{ message: 'x is missing', path: ['x'] }] }
          : { value: value as JsonObject }
      return isAsync ? Promise.resolve(result) : result
    },
  },
})

interface Shape {
  readonly optional: boolean
  readonly when: Test | undefined
  readonly kind: 'any' | 'schema' | 'async' | 'flow'
  readonly weight: number
  readonly next: readonly { readonly to: string; readonly when?: Test }[]
}

function steps(options: { readonly depth: number; readonly isForward: boolean }): fc.Arbitrary<Flow> {
  return fc.integer({ min: 1, max: keys.length }).chain((count) => {
    const listed = keys.slice(0, count)
    const step = (at: number): fc.Arbitrary<Shape & { flow?: Flow }> => {
      const targets = listed.filter((_, i) => (options.isForward ? i > at : i !== at))
      const next =
        targets.length === 0
          ? fc.constant([])
          : fc.uniqueArray(
              fc.record(
                { to: fc.constantFrom(...targets), when: condition(listed) },
                { requiredKeys: ['to'] },
              ),
              { maxLength: 2, selector: (item) => item.to },
            )
      return fc
        .record({
          optional: fc.boolean(),
          when: fc.option(condition(listed), { nil: undefined, freq: 1 }),
          kind: fc.constantFrom('any', 'any', 'schema', 'async', options.depth > 0 ? 'flow' : 'any'),
          weight: fc.integer({ min: 1, max: 3 }),
          next: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: next }),
        })
        .chain((shape) =>
          shape.kind === 'flow'
            ? steps({ ...options, depth: options.depth - 1 }).map((flow) => ({ ...shape, flow }) as never)
            : fc.constant(shape as never),
        )
    }
    return fc.tuple(...listed.map((_, at) => step(at))).map(
      (shapes) =>
        defineFlow({
          id: 'random.flow',
          title: 'Random',
          steps: Object.fromEntries(
            listed.map((key, at) => {
              const { optional, when, kind, weight, next, flow } = shapes[at]!
              return [
                key,
                {
                  title: key,
                  optional,
                  weight,
                  next,
                  ...(when === undefined ? {} : { when }),
                  ...(flow === undefined ? {} : { flow }),
                  ...(kind === 'schema' || kind === 'async' ? { schema: wantsX(kind === 'async') } : {}),
                },
              ]
            }),
          ) as never,
        }) as Flow,
    )
  })
}

/** With `isForward`, no `next` leads back. */
export function arbitraryFlow(options: { readonly isForward: boolean }): fc.Arbitrary<Flow> {
  return steps({ depth: 1, ...options })
}

const stepAnswers: fc.Arbitrary<StepAnswers | undefined> = fc.option(
  fc.record({ x: fc.integer({ min: 0, max: 1 }), y: fc.integer({ min: 0, max: 1 }) }, { requiredKeys: [] }),
  { nil: undefined },
)

export function arbitraryAnswers(flow: Flow): fc.Arbitrary<Answers> {
  return fc
    .tuple(...[...flow.leaves.keys()].map((id) => stepAnswers.map((answers) => [id, answers] as const)))
    .map((entries) => Object.fromEntries(entries.filter(([, value]) => value !== undefined)))
}

/** Fills the missing fields of some steps, or leaves them missing for good. */
export function arbitraryCompletion(answers: Answers, steps: readonly StepId[]): fc.Arbitrary<Answers> {
  const field = fc.constantFrom(0, 1, undefined)
  return fc.tuple(...steps.map(() => fc.tuple(field, field))).map((fills) => {
    const completed: Record<StepId, StepAnswers | undefined> = { ...answers }
    steps.forEach((step, i) => {
      const [x, y] = fills[i]!
      const filled = { ...(x === undefined ? {} : { x }), ...(y === undefined ? {} : { y }) }
      if (Object.keys(filled).length > 0) completed[step] = { ...filled, ...(answers[step] as JsonObject) }
    })
    return completed
  })
}

/** The path by plain evaluation, missing fields taken as left empty. */
export function walkPlainly(flow: Flow, answers: Answers): readonly StepId[] {
  const walk = (nodes: readonly StepNode[]): StepId[] => {
    const found: StepId[] = []
    const passed = new Set<number>()
    for (let at = 0; at < nodes.length; ) {
      passed.add(at)
      const node = nodes[at]!
      const visible = Object.fromEntries(
        Object.entries(answers).flatMap(([id, value]) =>
          id.startsWith(node.prefix) ? [[id.slice(node.prefix.length), value]] : [],
        ),
      )
      const holds = (when: ((answers: Answers) => unknown) | undefined) => {
        try {
          return when === undefined || Boolean(when(visible))
        } catch {
          return false
        }
      }
      let to = at + 1
      if (holds(node.when)) {
        found.push(...(node.leaf === undefined ? walk(node.children ?? []) : [node.id]))
        to = node.next.find((next) => !passed.has(next.to) && holds(next.when))?.to ?? to
      }
      while (passed.has(to)) to++
      at = to
    }
    return found
  }
  return walk(flow['~nodes'])
}
