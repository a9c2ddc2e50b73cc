import type { StepId } from '../record/state.ts'
import type { Dice } from './dice.ts'

/** Makes what a person types. */
export interface Typist {
  /** A text unlike any other in the simulation: what is lost, doubled or out of place is told by it. Any text may hold it. */
  text(): string
  /** A whole number below `below`; not followed by the simulation. */
  whole(below: number): number
  flag(): boolean
  pick<T>(items: readonly T[]): T
}

export function createTypist(dice: Dice, issue: () => string): Typist {
  return { text: issue, whole: dice.below, flag: () => dice.is(0.5), pick: dice.pick }
}

/** What a person types into each step: fields, or one item of a list. */
export type TypingOf = { readonly [step: StepId]: ((typist: Typist) => object) | undefined }
