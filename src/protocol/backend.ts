import type { SyncItem, SyncOutcome } from './wire.ts'

/**
 * Where sessions sync to. `exchange` delivers items and returns one outcome for each, in order. It is called for one
 * account at a time and must be safe to repeat: the same push twice has the effect of once.
 *
 * Whatever keeps it from an outcome is a value, not an exception; what it throws all the same is treated as
 * `unreachable` and reported.
 */
export interface Backend {
  exchange(items: readonly SyncItem[], options: ExchangeOptions): Promise<ExchangeOutcome>
  /**
   * Erases a session for good, whether the server knows it or not: its later items are answered `denied` with the reason
   * `erased`. Resolves once that is so; rejects otherwise. Without it sessions are removed from this device only.
   */
  erase?(session: string, options: ExchangeOptions): Promise<void>
}

export interface ExchangeOptions {
  readonly account: string
  readonly signal: AbortSignal
}

export type ExchangeOutcome =
  /** `serverNow`: the server's clock in milliseconds, where it tells. */
  | { readonly type: 'answered'; readonly outcomes: readonly SyncOutcome[]; readonly serverNow?: number }
  /** No usable answer: offline, cut, a captive portal, 5xx. Tried again after back-off. */
  | { readonly type: 'unreachable'; readonly reason: string; readonly retryAfterMs?: number }
  /** 401: waits until sign-in. */
  | { readonly type: 'unauthorized' }
  /**
   * The whole request was refused for good (400, 403, 422): retrying as is cannot help. With `status: 413` less is sent
   * at once instead.
   */
  | { readonly type: 'refused'; readonly reason: string; readonly status?: number }

const outcomeTypes: readonly unknown[] = ['answered', 'unreachable', 'unauthorized', 'refused']

/** Tells an outcome from whatever else a backend may give; its items are looked at one by one. */
export function isExchangeOutcome(value: unknown): value is ExchangeOutcome {
  const { type, outcomes } = (value ?? {}) as { type?: unknown; outcomes?: unknown }
  return outcomeTypes.includes(type) && (type !== 'answered' || Array.isArray(outcomes))
}
