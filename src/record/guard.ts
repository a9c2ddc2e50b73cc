/** Hand-written checks of what comes from storage or the wire, before anything folds it. */
import { isJsonObject, type Json, type JsonObject, maxDepth } from '../base/json.ts'
import { type Operation, parsePointer } from '../base/patch.ts'
import type { Change, Loser, Status } from './state.ts'

const isKnownStatus: Readonly<Record<Status, true>> = {
  pending: true,
  running: true,
  waiting: true,
  paused: true,
  done: true,
  failed: true,
  abandoned: true,
  expired: true,
}
const causes = new Set(['next', 'back', 'goTo', 'skip', 'path'])

/** The changes in a payload text; `newer` where one is of a kind this version does not know; `undefined` if malformed. */
export function readChanges(text: string): readonly Change[] | 'newer' | undefined {
  const value = parseJson(text)
  if (!Array.isArray(value)) return undefined
  for (const change of value as readonly Json[]) {
    const verdict = isJsonObject(change) ? checkChange(change) : false
    if (verdict === 'newer') return 'newer'
    if (!verdict) return undefined
  }
  return value as unknown as readonly Change[]
}

function checkChange(change: JsonObject): boolean | 'newer' {
  switch (change['type']) {
    case 'started':
      return isFlowRef(change['flow']) && isText(change['step']) && isText(change['key'])
    case 'set':
      return isText(change['step']) && isPatch(change['patch']) && change['patch'].every(keepsAnswers)
    case 'finished':
      return isText(change['step']) && (change['how'] === 'valid' || change['how'] === 'skipped')
    case 'moved':
      return isText(change['from']) && isText(change['to']) && causes.has(change['by'] as string)
    case 'status':
      return isStatus(change['to']) && (change['submitted'] === undefined || isTexts(change['submitted']))
    case 'reopened':
      return true
    case 'restarted':
      return isText(change['step'])
    case 'resumed':
      return Number.isSafeInteger(change['position'])
    case 'adopted':
      return isText(change['writer']) && Number.isSafeInteger(change['n'])
    case 'merged':
      if (!isJsonObject(change['joins']) || !Array.isArray(change['losers'])) return false
      if (!change['losers'].every(isLoser)) return false
      return isPatch(change['patch']) && checkStatePatch(change['patch'])
    case 'resolved':
      return isText(change['id']) && (change['choice'] === 'keep' || change['choice'] === 'restore')
    default:
      return isText(change['type']) ? 'newer' : false
  }
}

function isPatch(value: unknown): value is readonly Operation[] {
  return (
    Array.isArray(value) &&
    value.every(
      (operation) =>
        isJsonObject(operation) &&
        isText(operation['path']) &&
        (operation['path'] === '' || operation['path'].startsWith('/')) &&
        (operation['op'] === 'remove' ||
          ((operation['op'] === 'add' || operation['op'] === 'replace') &&
            operation['value'] !== undefined)) &&
        isWithinDepth(operation['path'], operation['value']),
    )
  )
}

/** What a patch puts somewhere is nested no deeper, counted from the top, than {@link parseJson} reads. */
function isWithinDepth(path: string, value: Json | undefined): boolean {
  const left = maxDepth + 8 - parsePointer(path).length
  return left >= 0 && (value === undefined || isShallow(value, left))
}

/** A whole step's answers are an object or a list. */
function keepsAnswers(operation: Operation): boolean {
  if (operation.path !== '' || operation.op === 'remove') return true
  return typeof operation.value === 'object' && operation.value !== null
}

/** Whether a merge leaves a state a state; `newer` where it writes a field this version does not know. */
function checkStatePatch(patch: readonly Operation[]): boolean | 'newer' {
  const verdicts = patch.map((operation) => {
    const [field, name, ...inner] = parsePointer(operation.path)
    const value = operation.op === 'remove' ? undefined : operation.value
    const isMember = name !== undefined && inner.length === 0
    switch (field) {
      case undefined:
        return false
      case 'status':
        return name === undefined && isStatus(value)
      case 'step':
        return name === undefined && isText(value)
      case 'submitted':
        return name === undefined && (value === undefined || isTexts(value))
      case 'flow':
        if (name === undefined) return isFlowRef(value)
        return isMember && (name === 'version' ? typeof value === 'number' : isText(value))
      case 'finished':
        return isMember && (value === undefined || value === 'valid' || value === 'skipped')
      case 'visited':
        return isMember && (value === undefined || value === true)
      case 'conflicts':
        return name !== undefined || operation.op === 'remove'
      case 'answers':
        return name !== undefined && (!isMember || keepsAnswers({ ...operation, path: '' }))
      default:
        return 'newer'
    }
  })
  if (verdicts.includes(false)) return false
  return verdicts.includes('newer') ? 'newer' : true
}

/** Tells what could be offered; more members, as of a later version, are no fault. */
export function isLoser(value: unknown): value is Loser {
  return (
    isJsonObject(value) &&
    isText(value['step']) &&
    isText(value['path']) &&
    isText(value['writer']) &&
    typeof value['at'] === 'number'
  )
}

/** Tells one of the statuses this version knows. */
export function isStatus(value: unknown): value is Status {
  return typeof value === 'string' && Object.hasOwn(isKnownStatus, value)
}

export function isFlowRef(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    isText(value['id']) &&
    typeof value['version'] === 'number' &&
    isText(value['hash'])
  )
}

/** Parses JSON from outside; `undefined` where it is malformed or nested beyond {@link maxDepth}. */
export function parseJson(text: string): Json | undefined {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return undefined
  }
  return isShallow(value, maxDepth + 8) ? value : undefined
}

function isShallow(value: Json, left: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (left === 0) return false
  const members = Array.isArray(value) ? (value as readonly Json[]) : Object.values(value as JsonObject)
  for (const member of members) if (!isShallow(member, left - 1)) return false
  return true
}

export function isText(value: unknown): value is string {
  return typeof value === 'string'
}

export function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText)
}
