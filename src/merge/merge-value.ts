/**
 * Three-way merge of one step's answers: objects by member, keyed lists by item, everything else as one value.
 *
 * Where both sides changed a place differently, the flow's policy says which value stands; what was not taken is a loser.
 * An item one side removed and the other changed stays, unless a policy says otherwise: nobody loses an answer.
 *
 * The order of a keyed list is that of the side that moved items; of both, by policy, by default the later's; of
 * neither, the earlier's. What only the other side has follows the item it stands behind there. An order that was not
 * taken is recorded and, unless the policy is `ask`, not offered.
 */
import { isJsonObject, type Json } from '../base/json.ts'
import { isKeyedList, itemsByKey, type KeyedList } from '../base/keyed-list.ts'
import { isEqual, toItemToken, toToken, withMember } from '../base/patch.ts'
import type { PolicyOf } from '../flow/merge-policy.ts'
import type { Loser, StepId } from '../record/state.ts'

/** When and by whom a field was last changed on one side since the base. */
export interface Stamp {
  readonly at: number
  readonly writer: string
}
export type StampOf = (step: StepId, path: string) => Stamp

/** What a merge goes by, and where it leaves what it did not take. */
export interface MergeRules {
  readonly ourStamp: StampOf
  readonly theirStamp: StampOf
  /** Default: `latest` everywhere. */
  readonly policyOf?: PolicyOf | undefined
}
export interface Place extends MergeRules {
  readonly step: StepId
  readonly losers: Loser[]
}

type Value = Json | undefined

export function mergeValue(
  place: Place,
  path: string,
  base: Value,
  ours: Value,
  theirs: Value,
  isItem = false,
): Value {
  if (isEqual(ours, base) || isEqual(ours, theirs)) return theirs
  if (isEqual(theirs, base)) return ours
  const policy = place.policyOf?.(place.step, path)
  if (typeof policy === 'function') {
    const combined = policy(base, ours, theirs)
    if (combined !== undefined) return settle(place, path, combined.value, ours, theirs)
  }
  if (isJsonObject(ours) && isJsonObject(theirs) && (base === undefined || isJsonObject(base))) {
    let merged = theirs
    for (const key of new Set([...Object.keys(theirs), ...Object.keys(ours)])) {
      const before = base === undefined ? undefined : own(base, key)
      const value = mergeValue(place, `${path}/${toToken(key)}`, before, own(ours, key), own(theirs, key))
      if (value !== own(merged, key)) merged = withMember(merged, key, value)
    }
    return merged
  }
  if (isKeyedList(ours) && isKeyedList(theirs) && (base === undefined || isKeyedList(base))) {
    return mergeItems(place, path, base ?? [], ours, theirs)
  }
  const isRemoved = isItem && (ours === undefined || theirs === undefined)
  return pick(place, path, ours, theirs, isRemoved ? { prefersOurs: theirs === undefined } : {})
    ? ours
    : theirs
}

function mergeItems(
  place: Place,
  path: string,
  base: KeyedList,
  ours: KeyedList,
  theirs: KeyedList,
): readonly Json[] {
  const [was, our, their] = [itemsByKey(base), itemsByKey(ours), itemsByKey(theirs)]
  const items = new Map<string, Json>()
  for (const key of new Set([...their.keys(), ...our.keys()])) {
    const at = `${path}/${toItemToken(key)}`
    const item = mergeValue(place, at, was.get(key), our.get(key), their.get(key), true)
    if (item !== undefined) items.set(key, item)
  }
  const isOurs = leads(place, path, [...was.keys()], [...our.keys()], [...their.keys()])
  const [lead, follow] = isOurs ? [our, their] : [their, our]
  const order = [...lead.keys()].filter((key) => items.has(key))
  let at = 0
  for (const key of follow.keys()) {
    const known = order.indexOf(key)
    if (known >= 0) at = known + 1
    else if (items.has(key)) {
      while (at < order.length && !follow.has(order[at]!)) at += 1
      order.splice(at++, 0, key)
    }
  }
  const merged = order.map((key) => items.get(key)!)
  for (const side of [theirs, ours]) {
    if (side.length === merged.length && merged.every((item, i) => item === side[i])) return side
  }
  return Object.freeze(merged)
}

/** Whether the order is ours. */
function leads(
  place: Place,
  path: string,
  was: readonly string[],
  our: readonly string[],
  their: readonly string[],
): boolean {
  const isMoved = (keys: readonly string[]) => !isEqual(common(keys, was), common(was, keys))
  const [isOurMoved, isTheirMoved] = [isMoved(our), isMoved(their)]
  if (isOurMoved !== isTheirMoved) return isOurMoved
  if (!isEqual(common(our, their), common(their, our)))
    return pick(place, `${path}/~`, our, their, { isOrder: true })
  return isLater(place.theirStamp(place.step, path), place.ourStamp(place.step, path))
}

function common(keys: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others)
  return keys.filter((key) => known.has(key))
}

/** Whether ours stands in a conflict; the other becomes a loser. */
function pick(
  place: Place,
  path: string,
  ours: Value,
  theirs: Value,
  { prefersOurs, isOrder = false }: { readonly prefersOurs?: boolean; readonly isOrder?: boolean },
): boolean {
  const { step, ourStamp, theirStamp } = place
  const policy = place.policyOf?.(step, path)
  const isOurs =
    policy === 'ours' ||
    (policy !== 'theirs' && (prefersOurs ?? isLater(ourStamp(step, path), theirStamp(step, path))))
  const kind = policy === 'ask' ? 'ask' : isOrder ? 'settled' : undefined
  lose(place, path, isOurs ? theirs : ours, isOurs ? theirStamp : ourStamp, kind)
  return isOurs
}

/** A function of the flow made one value of two. Where that is neither's, both are recorded and neither is offered. */
function settle(place: Place, path: string, value: Value, ours: Value, theirs: Value): Value {
  const [isOurs, isTheirs] = [isEqual(value, ours), isEqual(value, theirs)]
  const kind = isOurs || isTheirs ? undefined : 'settled'
  if (!isOurs) lose(place, path, ours, place.ourStamp, kind)
  if (!isTheirs) lose(place, path, theirs, place.theirStamp, kind)
  return value
}

export function lose(place: Place, path: string, value: Value, stampOf: StampOf, kind?: Loser['kind']): void {
  const { step, losers } = place
  losers.push({
    ...{ step, path, ...stampOf(step, path) },
    ...(value === undefined ? {} : { value }),
    ...(kind === undefined ? {} : { kind }),
  })
}

function isLater(a: Stamp, b: Stamp): boolean {
  return a.at > b.at || (a.at === b.at && a.writer > b.writer)
}

export function own<T>(object: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
