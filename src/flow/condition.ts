/**
 * Asks a condition, watching what it reads. A condition sees plain answers; what it gets is a read-only proxy that
 * notes every field it looked for and did not find.
 *
 * - A missing field is **unanswered** while its step may still be filled: not finished, not left by the path. Then the
 *   verdict is `undecided`, whatever the condition returned.
 * - A missing field of a finished or left step was left empty: the condition decides on `undefined` like any code.
 * - Enumerating an object (`Object.keys`, spread, `JSON.stringify`) reads all its fields, those to come included. A list
 *   that is there is one value: its length and items are answers.
 */
import { WaymarkError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { Answers, StepId } from '../record/state.ts'
import type { Condition, Flow, Verdict } from './definition.ts'

export interface Judgement {
  readonly verdict: Verdict
  /** The steps whose unanswered fields it read. */
  readonly unanswered: ReadonlySet<StepId>
  /** The steps it looked at, where it did not list them all: while these stay, so does the verdict. */
  readonly reads: ReadonlySet<StepId> | undefined
  readonly hasThrown: boolean
  /** It failed with all its data present. */
  readonly error?: WaymarkError
}

export interface Question {
  readonly flow: Flow
  readonly answers: Answers
  /** Tells a step whose missing fields will not come. */
  readonly isSettled: (step: StepId) => boolean
  /** The step or sub-flow the condition belongs to, for messages. */
  readonly step: StepId
  /** What leads the ids of the answers it sees. */
  readonly prefix: string
}

export function judge(condition: Condition, question: Question): Judgement {
  const unanswered = new Set<StepId>()
  const looked = new Set<StepId>()
  let isMissing = false
  let isWhole = false
  const answers = watch(question, {
    onRead: (step) => looked.add(step),
    onList: () => {
      isWhole = true
    },
    onMissing(step) {
      isMissing = true
      if (!question.isSettled(step)) unanswered.add(step)
    },
  })
  const conclude = (holds: unknown, hasThrown: boolean, error?: WaymarkError): Judgement => ({
    verdict: error !== undefined || unanswered.size > 0 ? 'undecided' : holds ? 'yes' : 'no',
    unanswered,
    reads: isWhole ? undefined : looked,
    hasThrown,
    ...(error === undefined ? {} : { error }),
  })
  try {
    const holds = condition(answers)
    const isPromise = typeof (holds as PromiseLike<unknown> | undefined)?.then === 'function'
    return conclude(holds, false, isPromise ? broken(question, 'returned a promise') : undefined)
  } catch (cause) {
    const isExcused = isMissing && (cause as Error | undefined)?.name === 'TypeError'
    return conclude(false, true, isExcused ? undefined : broken(question, 'failed', cause))
  }
}

function broken({ flow, step }: Question, what: string, cause?: unknown): WaymarkError {
  return new WaymarkError(
    'flow-invalid',
    `A condition of step "${step}" in flow "${flow.id}" ${what}. Conditions are pure functions that return true or false.`,
    { details: { flow: flow.id, step }, cause },
  )
}

/** What a proxy shows of an object or list. */
interface Source {
  read(key: string): unknown
  keys(): string[]
  /** Called for a member that is not there. */
  miss(key: string): void
  /** Called when all members are asked for. */
  enumerate(): void
}

interface Watcher {
  onRead(step: StepId): void
  onList(): void
  onMissing(step: StepId): void
}

function watch({ flow, answers, prefix }: Question, { onRead, onList, onMissing }: Watcher): Answers {
  const proxies = new Map<object, object>()
  const view = (value: Json, step: StepId): unknown => {
    if (typeof value !== 'object' || value === null) return value
    const known = proxies.get(value)
    if (known !== undefined) return known
    const members = value as { readonly [key: string]: Json }
    const isList = Array.isArray(value)
    const onMiss = isList ? () => {} : () => onMissing(step)
    const proxy = proxyOf(isList ? [] : {}, {
      read: (key) => (Object.hasOwn(members, key) ? view(members[key]!, step) : undefined),
      keys: () => Object.keys(members),
      miss: onMiss,
      enumerate: onMiss,
    })
    proxies.set(value, proxy)
    return proxy
  }
  const answersOf = (id: StepId) => (Object.hasOwn(answers, id) ? answers[id] : undefined)
  return proxyOf(
    {},
    {
      read(key) {
        onRead(prefix + key)
        const value = answersOf(prefix + key)
        return value === undefined ? undefined : view(value, prefix + key)
      },
      keys: () =>
        Object.keys(answers).flatMap((id) =>
          id.startsWith(prefix) && answersOf(id) !== undefined ? [id.slice(prefix.length)] : [],
        ),
      miss: (key) => onMissing(prefix + key),
      enumerate() {
        onList()
        for (const id of flow.leaves.keys()) {
          if (id.startsWith(prefix) && answersOf(id) === undefined) onMissing(id)
        }
      },
    },
  ) as Answers
}

/** The target is empty and extensible, since a proxy may not hide what a frozen target has. */
function proxyOf(target: object, source: Source): object {
  const isList = Array.isArray(target)
  const find = (key: string | symbol): unknown => {
    if (typeof key === 'symbol') return undefined
    const value = source.read(key)
    if (value === undefined) source.miss(key)
    return value
  }
  const refuse = () => false
  return new Proxy(target, {
    get(_, key, receiver) {
      const isOwn = typeof key === 'string' && source.read(key) !== undefined
      return !isOwn && key in target ? Reflect.get(target, key, receiver) : find(key)
    },
    has: (_, key) => (typeof key === 'symbol' ? key in target : find(key) !== undefined || key in target),
    ownKeys() {
      source.enumerate()
      return isList ? [...source.keys(), 'length'] : source.keys()
    },
    getOwnPropertyDescriptor(_, key) {
      const value = find(key)
      if (value === undefined) return undefined
      const isLength = isList && key === 'length'
      return { value, writable: true, enumerable: !isLength, configurable: !isLength }
    },
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
    preventExtensions: refuse,
  })
}
