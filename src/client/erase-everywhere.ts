import type { Clock } from '../base/clock.ts'
import { WaymarkError } from '../base/errors.ts'
import type { Backend } from '../protocol/backend.ts'

const patienceMs = 30_000

/** Has the server erase a session. Rejects with `not-erased`, before anything is removed here, where it does not. */
export async function eraseEverywhere(of: {
  readonly backend: Backend | undefined
  readonly account: string
  readonly session: string
  readonly clock: Clock
}): Promise<void> {
  const { backend, account, session, clock } = of
  if (backend?.erase === undefined) {
    throw notErased(session, 'there is no backend that erases', { isRetryable: false })
  }
  const controller = new AbortController()
  const cancel = clock.after(patienceMs, () => controller.abort())
  try {
    await backend.erase(session, { account, signal: controller.signal })
  } catch (cause) {
    throw notErased(session, 'the server did not confirm it', { cause, isRetryable: true })
  } finally {
    cancel()
  }
}

function notErased(
  session: string,
  why: string,
  options: { readonly cause?: unknown; readonly isRetryable: boolean },
): WaymarkError {
  return new WaymarkError(
    'not-erased',
    `Session "${session}" was not erased everywhere: ${why}. Nothing was removed; try again when online.`,
    { details: { session }, ...options },
  )
}
