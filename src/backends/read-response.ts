/** Hand-written checks of a sync response: nothing of it is believed before all of it is well-formed. */
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { protocolVersion, type SyncItem, type SyncResponse } from '../protocol/wire.ts'
import { isFlowRef, isStatus, isText, isTexts, parseJson } from '../record/guard.ts'

/** The response in `text` to `items`; `undefined` where it is cut, not JSON, or not an answer to them. */
export function readResponse(text: string, items: readonly SyncItem[]): SyncResponse | undefined {
  const value = parseJson(text)
  if (!isJsonObject(value) || value['protocol'] !== protocolVersion) return undefined
  const outcomes = value['items']
  if (!Array.isArray(outcomes) || outcomes.length !== items.length || !isNumber(value['now']))
    return undefined
  const isRight = items.every(({ type, session }, i) => {
    const outcome: unknown = outcomes[i]
    return isJsonObject(outcome) && outcome['session'] === session && isOutcome(outcome, type)
  })
  return isRight ? (value as unknown as SyncResponse) : undefined
}

function isOutcome(outcome: JsonObject, to: SyncItem['type']): boolean {
  switch (outcome['type']) {
    case 'accepted':
      return to === 'push' && isText(outcome['rev']) && typeof outcome['validated'] === 'boolean'
    case 'stale':
      return to === 'push' && isSnapshot(outcome['snapshot'])
    case 'rejected':
      return isText(outcome['reason']) && Array.isArray(outcome['issues']) && outcome['issues'].every(isIssue)
    case 'too-large':
      return isNumber(outcome['limitBytes'])
    case 'snapshot':
      return to === 'pull' && isSnapshot(outcome['snapshot'])
    case 'unchanged':
      return to === 'pull' && isText(outcome['rev'])
    case 'denied':
      return isText(outcome['reason'])
    case 'unknown':
      return true
    default:
      return false
  }
}

function isIssue(value: unknown): boolean {
  return isJsonObject(value) && isText(value['step']) && isText(value['path']) && isText(value['message'])
}

function isSnapshot(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    isText(value['rev']) &&
    typeof value['isWhole'] === 'boolean' &&
    Number.isSafeInteger(value['at']) &&
    isMeta(value['meta']) &&
    isMapOf(value['steps'], (text) => text === null || isText(text)) &&
    isMapOf(value['heads'], (head) => isJsonObject(head) && isCount(head['n']) && isText(head['hash'])) &&
    isMapOf(
      value['stamps'],
      (stamp) => isJsonObject(stamp) && isCount(stamp['at']) && isText(stamp['writer']),
    )
  )
}

function isMeta(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    isFlowRef(value['flow']) &&
    isText(value['key']) &&
    isStatus(value['status']) &&
    isText(value['step']) &&
    isMapOf(value['finished'], (how) => how === 'valid' || how === 'skipped') &&
    isMapOf(value['visited'], (isVisited) => isVisited === true) &&
    (value['submitted'] === undefined || isTexts(value['submitted']))
  )
}

function isMapOf(value: unknown, check: (member: unknown) => boolean): boolean {
  return isJsonObject(value) && Object.values(value).every(check)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value)
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value)
}
