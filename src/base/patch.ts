import { isJsonObject, type Json, type JsonObject } from './json.ts'

/**
 * The subset of RFC 6902 that a journal needs: `add`, `replace` and `remove` by JSON Pointer (RFC 6901). One deviation:
 * `add` makes the objects its path runs through, so that two people filling in one new object do not overwrite each
 * other. A patch is for replay in order only and is never rebased: merges work on states.
 */
export type Operation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }

/** The operations that turn `from` into `to`: objects by member, new ones too; lists as one value. Equal references cost nothing. */
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
    else into.push({ op: 'add', path, value: to })
  } else if (isJsonObject(from) && isJsonObject(to)) {
    for (const key of Object.keys(from)) {
      if (!Object.hasOwn(to, key)) into.push({ op: 'remove', path: `${path}/${toToken(key)}` })
    }
    for (const key of Object.keys(to)) {
      collect(Object.hasOwn(from, key) ? from[key] : undefined, to[key], `${path}/${toToken(key)}`, into)
    }
  } else if (!isEqual(from, to)) into.push({ op: 'replace', path, value: to })
}

/** Applies `operations` to `document` without touching it; what they leave alone keeps its reference. */
export function applyPatch(document: Json | undefined, operations: readonly Operation[]): Json | undefined {
  let result = document
  for (const operation of operations) {
    result = change(result, parsePointer(operation.path), 0, operation)
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
  const token = tokens[depth]!
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

/** The unescaped tokens of a JSON Pointer; the empty pointer names the whole document. */
export function parsePointer(path: string): string[] {
  if (path === '') return []
  return path
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}
