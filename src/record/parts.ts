import { isJsonObject, type Json } from '../base/json.ts'
import { isLoser } from './guard.ts'
import type { Answers, Conflicts, SessionState } from './state.ts'

/** Under which open conflicts are stored and sent beside the steps' answers. No step can be called so. */
export const conflictsPart = '/conflicts'

/** What of a state is stored and sent piece by piece: the answers of each step, and the open conflicts. */
export type Parts = { readonly [name: string]: Json | undefined }

export function partsOf({ answers, conflicts }: SessionState): Parts {
  const parts = answers as Parts
  return conflicts === undefined ? parts : { ...parts, [conflictsPart]: conflicts as unknown as Json }
}

/** What is no conflict among the conflicts cannot be offered and is left out: it must not keep answers from anyone. */
export function fromParts(parts: Parts): Pick<SessionState, 'answers' | 'conflicts'> {
  const { [conflictsPart]: offered, ...answers } = parts
  const conflicts = isJsonObject(offered) ? Object.entries(offered).filter(([, value]) => isLoser(value)) : []
  return {
    answers: answers as Answers,
    ...(conflicts.length === 0 ? {} : { conflicts: Object.fromEntries(conflicts) as unknown as Conflicts }),
  }
}
