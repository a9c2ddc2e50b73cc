/** Types only: from a flow to its step ids and to the answers its conditions see and its sessions hold. */
import type { Json, JsonObject } from '../base/json.ts'
import type { Answers, StepAnswers } from '../record/state.ts'
import type { Flow } from './definition.ts'
import type { MergePolicies, MergePolicy } from './merge-policy.ts'
import type { InputOf } from './standard-schema.ts'

/** The ids of a flow's leaf steps: `key`, or `parent.child` inside a sub-flow. */
export type StepIdOf<F extends Flow> = F extends Flow<string, infer S> ? StepIdIn<S> : never

/** A flow's answers by leaf step: each schema's input, everything optional, since people have not got there yet. */
export type AnswersOf<F extends Flow> = F extends Flow<string, infer S> ? AnswersIn<S> : never

/** What setting a step takes: some of its schema's input, or for a repeatable step the list of items with their keys. */
export type StepInput<F extends Flow, Id extends StepIdOf<F>> =
  F extends Flow<string, infer S> ? (unknown extends S ? StepAnswers : AnswersOfKind<KindAt<S, Id>>) : never

export type StepIdIn<S> = unknown extends S
  ? string
  : {
      [K in keyof S & string]: S[K] extends { readonly flow: Flow<string, infer Sub> }
        ? `${K}.${StepIdIn<Sub>}`
        : K
    }[keyof S & string]

export type AnswersIn<S> = unknown extends S
  ? Answers
  : { readonly [Id in StepIdIn<S>]?: AnswersOfKind<KindAt<S, Id>> | undefined }

type KindAt<S, Id> = Id extends keyof S
  ? S[Id]
  : Id extends `${infer K}.${infer Rest}`
    ? K extends keyof S
      ? S[K] extends { readonly flow: Flow<string, infer Sub> }
        ? KindAt<Sub, Rest>
        : never
      : never
    : never

type AnswersOfKind<Kind> = Kind extends { readonly each: infer Schema }
  ? readonly (Partly<InputOf<Schema>> & { readonly key: string })[]
  : Kind extends { readonly schema: infer Schema }
    ? unknown extends InputOf<Schema>
      ? JsonObject
      : Partly<InputOf<Schema>>
    : JsonObject

/** A step's merge policies by field, of an item where it repeats; `*` for those not named. */
export type MergeOptions<Kind> = Kind extends { readonly flow: unknown }
  ? never
  : Kind extends { readonly each: infer Schema } | { readonly schema: infer Schema }
    ? unknown extends InputOf<Schema>
      ? MergePolicies
      : MergeFields<InputOf<Schema>>
    : MergePolicies

type MergeFields<T> = { readonly [K in keyof T]?: MergePolicy<Partly<T[K]>> } & {
  readonly '*'?: MergePolicy<Json>
}

/** Names of fields of a step, of an item where it repeats. */
export type FieldNames<Kind> = Kind extends { readonly flow: unknown }
  ? never
  : Kind extends { readonly each: infer Schema } | { readonly schema: infer Schema }
    ? unknown extends InputOf<Schema>
      ? readonly string[]
      : readonly MemberOf<InputOf<Schema>>[]
    : readonly string[]

/** Of a union, the members of each. */
type MemberOf<T> = T extends unknown ? keyof T & string : never

/** `T` with every member optional, at any depth; lists stay lists. */
export type Partly<T> = T extends readonly (infer Item)[]
  ? readonly Partly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]?: Partly<T[K]> | undefined }
    : T
