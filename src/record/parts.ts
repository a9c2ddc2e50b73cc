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

/** `undefined` where the conflicts are not what they must be; the answers are whatever was entered. */
export function fromParts(parts: Parts): Pick<SessionState, 'answers' | 'conflicts'> | undefined {
  const { [conflictsPart]: conflicts, ...answers } = parts
  if (conflicts === undefined) return { answers: answers as Answers }
  if (!isJsonObject(conflicts) || !Object.values(conflicts).every(isLoser)) return undefined
  return { answers: answers as Answers, conflicts: conflicts as unknown as Conflicts }
}
