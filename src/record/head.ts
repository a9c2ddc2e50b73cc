import { isJsonObject, type Json } from '../base/json.ts'
import { isStatus, isText } from './guard.ts'
import { isEnded, type Status, type StepId } from './state.ts'

/**
 * A session's small summary, for lists and resume prompts. It is a hint: written when something a list shows changes,
 * it may trail the journal, and no restore trusts it.
 */
export interface Head {
  readonly v: 1
  readonly id: string
  readonly account: string
  /** The caller's own name for this run of the flow. */
  readonly key: string
  readonly flow: { readonly id: string; readonly version: number; readonly title: string }
  readonly status: Status
  readonly step: { readonly id: StepId; readonly title: string }
  /** Finished steps, and how many there are at least and at most. */
  readonly progress: { readonly done: number; readonly min: number; readonly max: number }
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly savedAt: number
  readonly expiresAt?: number
}

/** A head from storage, or `undefined` where it is not one this version can read. */
export function readHead(value: unknown): Head | undefined {
  if (!isJsonObject(value)) return undefined
  const { v, id, account, key, flow, status, step, progress, createdAt, savedAt, expiresAt } =
    value as Record<string, Json | undefined>
  const isRight =
    v === 1 &&
    isText(id) &&
    isText(account) &&
    isText(key) &&
    isJsonObject(flow) &&
    isText(flow['id']) &&
    typeof flow['version'] === 'number' &&
    isText(flow['title']) &&
    isStatus(status) &&
    isJsonObject(step) &&
    isText(step['id']) &&
    isText(step['title']) &&
    isJsonObject(progress) &&
    ['done', 'min', 'max'].every((count) => typeof progress[count] === 'number') &&
    typeof createdAt === 'number' &&
    typeof savedAt === 'number' &&
    (expiresAt === undefined || typeof expiresAt === 'number')
  return isRight ? (value as unknown as Head) : undefined
}

/** True where it is running and its time is over, as far as the head tells. */
export function isOverdue({ status, expiresAt }: Head, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now && !isEnded(status)
}
