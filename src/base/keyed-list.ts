import { isJsonObject, type Json, type JsonObject } from './json.ts'

/**
 * Lists whose items all carry a `key` of their own. A path names an item by it, so that it means the same whatever is
 * added, removed or moved before it: `/children/~=k7/name` is a field of an item, `/children/~` the order of the items,
 * as a list of keys. No member of an object can be called either: a `~` in a name travels as `~0`.
 */
export type KeyedList = readonly KeyedItem[]
export type KeyedItem = JsonObject & { readonly key: string }

/** Tells a list in which every item is an object with a `key` that is a text, not empty, and no other item's. */
export function isKeyedList(value: unknown): value is KeyedList {
  if (!Array.isArray(value)) return false
  const keys = new Set(value.map((item: unknown) => (isJsonObject(item) ? item['key'] : '')))
  return keys.size === value.length && [...keys].every((key) => typeof key === 'string' && key !== '')
}

export function itemsByKey(list: KeyedList): ReadonlyMap<string, KeyedItem> {
  return new Map(list.map((item) => [item.key, item]))
}

/** The items in the order of `keys`; those it does not name stay in order behind. */
export function inOrder(list: readonly Json[], keys: readonly unknown[]): readonly Json[] {
  const rankByKey = new Map(keys.map((key, rank) => [key, rank]))
  const rankOf = (item: Json) => rankByKey.get(isJsonObject(item) && item['key']) ?? keys.length
  return Object.freeze([...list].sort((a, b) => rankOf(a) - rankOf(b)))
}
