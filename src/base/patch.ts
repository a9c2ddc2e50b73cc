import { isJsonObject, type Json, type JsonObject } from './json.ts'
import { inOrder, isKeyedList, itemsByKey, type KeyedList } from './keyed-list.ts'

/**
 * The subset of RFC 6902 that a journal needs: `add`, `replace` and `remove` by JSON Pointer (RFC 6901). Two deviations:
 * `add` and `replace` make what their path runs through, so that two people filling in one new object do not overwrite
 * each other; and a list of items with keys is changed item by item (`keyed-list.ts`), a new one at its end. A patch is
 * for replay in order only and is never rebased: merges work on states.
 */
export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }

/** The operations that turn `from` into `to`: objects by member, new ones too; keyed lists by item; other lists as one value. Equal references cost nothing. */
export function diff(from: Json | undefined, to: Json | undefined, path = ''): Operation[] {
  const operations: Operation[] = []
  collect(from, to, path, operations)
  return operations
}

function collect(from: Json | undefined, to: Json | undefined, path: string, into: Operation[]): void {
  if (from === to) return
  if (to === undefined) into.push({ op: 'remove', path })
  else if (from === undefined) {
    if (isJsonObject(to) && Object.keys(to).length > 0) collect({}, to, path, into)
    else if (isKeyedList(to) && to.length > 0) collectItems([], to, path, into)
    else into.push({ op: 'add', path, value: to })
  } else if (isJsonObject(from) && isJsonObject(to)) {
    for (const key of Object.keys(from)) {
      if (!Object.hasOwn(to, key)) into.push({ op: 'remove', path: `${path}/${toToken(key)}` })
    }
    for (const key of Object.keys(to)) {
      collect(Object.hasOwn(from, key) ? from[key] : undefined, to[key], `${path}/${toToken(key)}`, into)
    }
  } else if (isKeyedList(from) && isKeyedList(to)) collectItems(from, to, path, into)
  else if (!isEqual(from, to)) into.push({ op: 'replace', path, value: to })
}

function collectItems(from: KeyedList, to: KeyedList, path: string, into: Operation[]): void {
  const before = itemsByKey(from)
  const after = itemsByKey(to)
  const order = [...before.keys()].filter((key) => after.has(key))
  for (const key of before.keys()) {
    if (!after.has(key)) into.push({ op: 'remove', path: `${path}/${toItemToken(key)}` })
  }
  for (const [key, item] of after) {
    const at = `${path}/${toItemToken(key)}`
    if (before.has(key)) collect(before.get(key), item, at, into)
    else {
      into.push({ op: 'add', path: at, value: item })
      order.push(key)
    }
  }
  const keys = [...after.keys()]
  if (!isEqual(order, keys)) into.push({ op: 'replace', path: `${path}/~`, value: keys })
}

/** The value at a path of a patch; of a list's order, its keys. */
export function valueAt(document: Json | undefined, path: string): Json | undefined {
  return path
    .split('/')
    .slice(1)
    .reduce<Json | undefined>((value, token) => {
      if (Array.isArray(value) && token === '~')
        return isKeyedList(value) ? value.map(({ key }) => key) : undefined
      if (Array.isArray(value) && token.startsWith('~=')) return value[indexOf(value, token)]
      const name = fromToken(token)
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
      return (value as JsonObject)[name]
    }, document)
}

/** The operation that puts a value in its place, or takes it away. */
export function toOperation(path: string, value: Json | undefined): Operation {
  return value === undefined ? { op: 'remove', path } : { op: 'replace', path, value }
}

/** Applies `operations` to `document` without touching it; what they leave alone keeps its reference. */
export function applyPatch(document: Json | undefined, operations: readonly Operation[]): Json | undefined {
  let result = document
  for (const operation of operations) {
    result = change(result, operation.path.split('/').slice(1), 0, operation)
  }
  return result
}

function change(
  target: Json | undefined,
  tokens: string[],
  depth: number,
  operation: Operation,
): Json | undefined {
  if (depth === tokens.length) return operation.op === 'remove' ? undefined : operation.value
  const raw = tokens[depth]!
  if (raw === '~') return reorder(target, operation)
  if (raw.startsWith('~=')) return changeItem(target, tokens, depth, operation)
  const token = fromToken(raw)
  const isLast = depth === tokens.length - 1
  if (Array.isArray(target)) {
    const list = [...(target as readonly Json[])]
    const index = token === '-' ? list.length : /^(0|[1-9]\d*)$/.test(token) ? Number(token) : Number.NaN
    if (!(index <= list.length)) return target
    if (isLast && operation.op === 'remove') list.splice(index, 1)
    else if (isLast && operation.op === 'add') list.splice(index, 0, operation.value)
    else {
      const next = change(list[index], tokens, depth + 1, operation)
      if (next !== undefined) list[index] = next
    }
    return Object.freeze(list)
  }
  const isScalar = target !== undefined && !isJsonObject(target)
  if (isScalar && operation.op === 'remove') return target
  const object: JsonObject = isScalar || target === undefined ? {} : target
  if (isLast && operation.op === 'remove') return withMember(object, token, undefined)
  const before = Object.hasOwn(object, token) ? object[token] : undefined
  return withMember(object, token, change(before, tokens, depth + 1, operation))
}

function changeItem(
  target: Json | undefined,
  tokens: string[],
  depth: number,
  operation: Operation,
): Json | undefined {
  if (target !== undefined && !Array.isArray(target)) return target
  const items = (target ?? []) as readonly Json[]
  const token = tokens[depth]!
  const at = indexOf(items, token)
  // A list that had that item is there, as where its addition was overwritten by this removal.
  if (at < 0 && operation.op === 'remove') return target ?? Object.freeze([])
  if (depth === tokens.length - 1 && operation.op !== 'replace') {
    const others = items.filter((_, i) => i !== at)
    return Object.freeze(operation.op === 'add' ? [...others, operation.value] : others)
  }
  const item = change(items[at] ?? { key: keyOf(token) }, tokens, depth + 1, operation)!
  return Object.freeze(at < 0 ? [...items, item] : items.map((other, i) => (i === at ? item : other)))
}

function indexOf(items: readonly Json[], token: string): number {
  const key = keyOf(token)
  return items.findIndex((item) => isJsonObject(item) && item['key'] === key)
}

function keyOf(itemToken: string): string {
  return fromToken(itemToken.slice(2))
}

function reorder(target: Json | undefined, operation: Operation): Json | undefined {
  const isOrder = Array.isArray(target) && operation.op !== 'remove' && Array.isArray(operation.value)
  return isOrder ? inOrder(target, operation.value as readonly Json[]) : target
}

/** A frozen copy of `object` with one member set, or removed where `value` is `undefined`. Safe for `__proto__`. */
export function withMember(object: JsonObject, key: string, value: Json | undefined): JsonObject {
  const copy: Record<string, Json> = { ...object }
  if (value === undefined) delete copy[key]
  else if (key === '__proto__')
    Object.defineProperty(copy, key, { value, enumerable: true, configurable: true })
  else copy[key] = value
  return Object.freeze(copy)
}

/** Deep equality of JSON; equal references are not entered. */
export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (a === undefined || b === undefined || a === null || b === null) return false
  if (typeof a !== 'object' || typeof b !== 'object') return false
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => isEqual(item, b[i]))
    )
  }
  const left = a as JsonObject
  const right = b as JsonObject
  const keys = Object.keys(left)
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key], right[key]))
  )
}

/** RFC 6901 escaping of one reference token. */
export function toToken(key: string): string {
  return key.includes('~') || key.includes('/') ? key.replaceAll('~', '~0').replaceAll('/', '~1') : key
}

/** The token of an item of a keyed list. */
export function toItemToken(key: string): string {
  return `~=${toToken(key)}`
}

/** The unescaped tokens of a JSON Pointer; the empty pointer names the whole document. */
export function parsePointer(path: string): string[] {
  return path.split('/').slice(1).map(fromToken)
}

function fromToken(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}
