/** What a page and its worker say to each other: calls over Comlink, whose replies carry errors as values. */
import { type ErrorCode, type ErrorDetails, isWaymarkError, WaymarkError } from '../base/errors.ts'
import { toStorageError } from '../store/storage-error.ts'
import type { Range, Write, WriteOutcome } from '../store/store.ts'

/** Of what is said here: a worker file kept from an older deploy is not talked to. */
export const faceVersion = 1

/** An error as plain data: Comlink would keep name, message and stack only. */
export interface ErrorValue {
  readonly code: ErrorCode
  readonly message: string
  readonly details: ErrorDetails
  readonly isRetryable: boolean
}

export type Reply<T> =
  /** `generation` is that of the worker's store when it answered. */
  { readonly generation: number } & ({ readonly value: T } | { readonly error: ErrorValue })

export interface OpenRequest {
  readonly name: string
  /** This page has stored in the database before: one that is made anew has lost that. */
  readonly isKnown: boolean
}

/** Under what a page asked; the worker does nothing where it holds no longer. */
export interface Terms {
  /** Of the worker's store, as the page knew it. */
  readonly generation: number
  /** When the page gives up, in milliseconds since 1970. What it gave up is not begun any more. */
  readonly until: number
}

export interface HostFace {
  /** The handshake: the version of this face. */
  hello(): number
  open(request: OpenRequest): Promise<Reply<undefined>>
  write(terms: Terms, write: Write): Promise<Reply<WriteOutcome>>
  read(terms: Terms, ranges: readonly Range[]): Promise<Reply<readonly (readonly unknown[])[]>>
  close(): Promise<Reply<undefined>>
}

export function toErrorValue(error: unknown): ErrorValue {
  const { code, message, details, isRetryable } = isWaymarkError(error) ? error : toStorageError(error, 'use')
  return { code, message, details, isRetryable }
}

export function fromErrorValue({ code, message, details, isRetryable }: ErrorValue): WaymarkError {
  return new WaymarkError(code, message, { details, isRetryable })
}

/** What was begun on a database that is gone is not done on the one in its place. */
export function dataGone(): WaymarkError {
  return new WaymarkError(
    'storage-failed',
    'What this page had stored was deleted, as by clearing site data. What it still holds is stored again.',
    { isRetryable: true },
  )
}

export function storeClosed(): WaymarkError {
  return new WaymarkError('closed', 'The store was closed. Open Waymark again to go on.')
}
