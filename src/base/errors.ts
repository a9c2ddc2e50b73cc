/** Every code a {@link WaymarkError} can carry. Each has a line in README and a test that provokes it. */
export type ErrorCode =
  | 'answer-not-json'
  | 'answer-too-large'
  | 'chunk-unavailable'
  | 'closed'
  | 'contract-broken'
  | 'encryption-needed'
  | 'encryption-unavailable'
  | 'flow-invalid'
  | 'flow-unknown'
  | 'import-unreadable'
  | 'item-unknown'
  | 'key-wrong'
  | 'merge-failed'
  | 'not-erased'
  | 'outdated'
  | 'record-unreadable'
  | 'schema-failed'
  | 'session-ended'
  | 'session-unknown'
  | 'step-unknown'
  | 'storage-failed'
  | 'storage-full'
  | 'storage-lost'
  | 'storage-unavailable'

export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>

const brand = Symbol.for('waymark.error')

/**
 * The one error class. `details` carry ids, sizes and field names, never a person's answers.
 * Recognise it with {@link isWaymarkError}, not `instanceof`: a page may hold two copies of the library.
 */
export class WaymarkError extends Error {
  override readonly name = 'WaymarkError'
  readonly code: ErrorCode
  readonly details: ErrorDetails
  readonly isRetryable: boolean

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: ErrorDetails; cause?: unknown; isRetryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
    this.isRetryable = options.isRetryable ?? false
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Tells whether `value` is a Waymark error, of the given code if one is given. */
export function isWaymarkError(value: unknown, code?: ErrorCode): value is WaymarkError {
  const isOurs =
    typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  return isOurs && (code === undefined || (value as WaymarkError).code === code)
}
