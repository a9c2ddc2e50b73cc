/** Bounds on what one request may hold. Rates and quotas per account are the host's, before this handler. */
export interface SyncLimits {
  /** Bytes of a request body. Default: 16,000,000. */
  readonly bodyBytes: number
  /** Items in a request. Default: 200. */
  readonly items: number
  /** Entries in a push. Default: 20,000. */
  readonly entries: number
  /** UTF-8 bytes of one entry: header, payload and salt. Default: 4,000,000. */
  readonly entryBytes: number
  /** UTF-8 bytes of one step's answers. Default: 4,000,000. */
  readonly stepBytes: number
  /** Steps that a push names: changed, finished, visited or submitted. Default: 2,000. */
  readonly steps: number
  /** Writers in a session, one per page load that changed something. Default: 10,000. */
  readonly writers: number
  /** Sessions in a page of the list. Default: 100. */
  readonly listed: number
}

export const defaultLimits: SyncLimits = {
  bodyBytes: 16_000_000,
  items: 200,
  entries: 20_000,
  entryBytes: 4_000_000,
  stepBytes: 4_000_000,
  steps: 2_000,
  writers: 10_000,
  listed: 100,
}

/** Length of `text` in UTF-8 bytes, without encoding where length alone decides against `limit`. */
export function exceedsBytes(text: string, limit: number): boolean {
  if (text.length * 3 <= limit) return false
  return text.length > limit || new TextEncoder().encode(text).length > limit
}
