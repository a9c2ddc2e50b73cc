import { WaymarkError } from './errors.ts'

/**
 * A part of the library that is not in the first load. Rejects with `chunk-unavailable` where it cannot be fetched, as
 * offline or after a deploy; `consequence` says what that means.
 */
export async function loadChunk<T>(loading: Promise<T>, consequence: string): Promise<T> {
  try {
    return await loading
  } catch (error) {
    throw new WaymarkError(
      'chunk-unavailable',
      `A part of Waymark could not be loaded, so ${consequence}. Try again when online, or reload the page.`,
      { cause: error, isRetryable: true },
    )
  }
}
