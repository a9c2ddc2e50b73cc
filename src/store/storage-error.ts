import { isWaymarkError, WaymarkError } from '../base/errors.ts'

/** Names what the browser's storage threw. The original stays as `cause`. */
export function toStorageError(error: unknown, doing: 'open' | 'use'): WaymarkError {
  if (isWaymarkError(error)) return error
  const name = (error as { name?: string } | null)?.name ?? 'unknown'
  const details = { name, doing }
  if (name === 'QuotaExceededError') {
    return new WaymarkError(
      'storage-full',
      'The browser refused to store more. Free some disk space or finish online; what was entered is kept in this page meanwhile.',
      { details, cause: error, isRetryable: true },
    )
  }
  if (doing === 'open' && ['NotSupportedError', 'SecurityError', 'InvalidStateError'].includes(name)) {
    return new WaymarkError(
      'storage-unavailable',
      'This browser offers no storage to this page (private mode, blocked site data or a third-party frame). Answers live in this page only.',
      { details, cause: error },
    )
  }
  if (name === 'DataCloneError' || name === 'DataError') {
    return new WaymarkError(
      'storage-failed',
      `The browser's storage cannot keep this value (${name}). Nothing was stored; change it and try again.`,
      { details, cause: error },
    )
  }
  return new WaymarkError(
    'storage-failed',
    `The browser's storage failed (${name}). What was entered is kept in this page and tried again.`,
    { details, cause: error, isRetryable: true },
  )
}
