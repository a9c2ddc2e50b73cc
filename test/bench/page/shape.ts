import { defineFlow, type StandardSchemaV1 } from 'waymark'

/** A field of a session: its step, its row in the step, its name. */
export interface Change {
  readonly step: string
  readonly row: string
  readonly field: string
  readonly value: string
}

export type Row = { readonly [field: string]: string }
export type Rows = { readonly [row: string]: Row }
export type Answers = { readonly [step: string]: Rows }

/** What a session holds before anything is measured. */
export interface Shape {
  readonly size: string
  readonly answers: Answers
  /** The n-th change: fields all over the session, a new value each. */
  change(n: number): Change
}

const steps = Array.from({ length: 10 }, (_, i) => `step${i}`)
const fields = Array.from({ length: 10 }, (_, i) => `field${i}`)
const pad = (text: string, length: number) => text.padEnd(length, ' lorem ipsum dolor sit amet')

/** Ten steps whose rows have ten fields of eighty characters: a row is about 1 KB. */
export function nestedShape(size: string, rowsPerStep: number): Shape {
  const row = (): Row => Object.fromEntries(fields.map((field) => [field, pad(field, 80)]))
  const rows = (): Rows =>
    Object.fromEntries(Array.from({ length: rowsPerStep }, (_, i) => [`row${i}`, row()]))
  return {
    size,
    answers: Object.fromEntries(steps.map((step) => [step, rows()])),
    change: (n) => ({
      step: steps[n % steps.length]!,
      row: `row${(n * 7) % rowsPerStep}`,
      field: fields[(n * 3) % fields.length]!,
      value: pad(`value ${n}`, 80),
    }),
  }
}

/** One row of a thousand fields: a flat form without any grouping. */
export function flatShape(): Shape {
  const names = Array.from({ length: 1_000 }, (_, i) => `field${i}`)
  return {
    size: '1,000 keys',
    answers: { step0: { row0: Object.fromEntries(names.map((name) => [name, pad(name, 80)])) } },
    change: (n) => ({
      step: 'step0',
      row: 'row0',
      field: names[(n * 37) % names.length]!,
      value: pad(`value ${n}`, 80),
    }),
  }
}

export const shapes: readonly Shape[] = [
  nestedShape('10 KB', 1),
  nestedShape('100 KB', 10),
  nestedShape('1 MB', 100),
  flatShape(),
]

/** Rows of a step, as a schema that takes anything: what is measured is not validation. */
const anyRows: StandardSchemaV1<Rows, Rows> = {
  '~standard': { version: 1, vendor: 'bench', validate: (value) => ({ value: value as Rows }) },
}

export const flow = defineFlow({
  id: 'bench',
  title: 'Bench',
  steps: Object.fromEntries(steps.map((step) => [step, { title: step, schema: anyRows }])) as {
    [step: string]: { title: string; schema: typeof anyRows }
  },
})
