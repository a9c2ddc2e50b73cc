import { isWaymarkError, type JsonObject, type Session } from 'waymark'
import type { Housing, HousingStep } from '../flow.ts'

/** What a step's page does to its answers. */
export interface StepPort {
  /** Sets some fields, of one item where a key is given. */
  set(fields: JsonObject, key?: string): void
  /** Adds an empty item and returns its key. */
  add(): string
  drop(key: string): void
  commit(): void
}

/** What could not even be taken into the session: the control shows it, nothing holds it. */
export interface Refusal {
  readonly field: string
  readonly message: string
}

/** `onRefused` hears of input the session would not take, and of `undefined` once it takes that field again. */
export function createStepPort(
  session: Session<Housing>,
  step: HousingStep,
  onRefused: (field: string, message: string | undefined) => void,
): StepPort {
  return {
    set(fields, key) {
      const field = [step, ...(key === undefined ? [] : [key]), ...Object.keys(fields)].join('.')
      try {
        // The questions of a page name fields of its own step: `questions.ts` is typed by the flow.
        if (key === undefined) session.set(step, fields as never)
        else session.change(step, key, fields as never)
        onRefused(field, undefined)
      } catch (error) {
        if (!isWaymarkError(error)) throw error
        onRefused(
          field,
          error.code === 'answer-too-large' ? 'This answer is too long. Shorten it.' : error.message,
        )
      }
    },
    add: () => session.add(step, {} as never),
    drop: (key) => session.drop(step, key),
    commit: () => session.commit(),
  }
}
