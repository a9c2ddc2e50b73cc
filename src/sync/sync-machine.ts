/**
 * When to talk to the backend, as an XState machine that does nothing itself: the driver sends it events through the
 * pure `transition`, looks at the state it is in, and acts. So a simulator can run it as data.
 *
 *   stopped ─start─► idle ─work─► exchanging ─answered─► idle
 *                     ▲               │ unreachable          backingOff ─timer─► exchanging
 *                     │               ├─────────────────────► circuitOpen (after many failures in a row)
 *                     │               │ unauthorized ───────► signedOut ─signIn─► exchanging
 *                     └─── now ───────┤ refused ────────────► blocked
 *                                     └ offline ────────────► offline ─online, timer─► exchanging
 *
 * Invariants
 * - One exchange at a time. Work that arrives meanwhile is remembered and follows.
 * - Waits grow exponentially with full jitter and never exceed `longestWaitMs`; a longer Retry-After is obeyed.
 * - Being offline is a hint: the machine tries now and then all the same.
 */
import { assign, createMachine } from 'xstate'

export const longestWaitMs = 60_000
const firstWaitMs = 1_000
const failuresToOpen = 8

export interface SyncContext {
  /** Exchanges in a row that found nobody. */
  readonly failures: number
  /** How long the state it is in waits, in milliseconds. */
  readonly waitMs: number
  readonly hasWork: boolean
  /** What the platform says; a hint. */
  readonly isOnline: boolean
  /** Why it is not syncing, in words for people; never an answer. */
  readonly reason: string
}

export type SyncEvent =
  | { readonly type: 'start' | 'stop' | 'work' | 'now' | 'timer' | 'online' | 'offline' | 'signIn' }
  | { readonly type: 'answered' }
  /** `fraction` is the jitter, in [0, 1). */
  | {
      readonly type: 'unreachable'
      readonly reason: string
      readonly fraction: number
      readonly retryAfterMs?: number
    }
  | { readonly type: 'unauthorized' }
  | { readonly type: 'refused'; readonly reason: string }

/** The wait before try `failures + 1`: full jitter over an exponential, as in Brooker, "Exponential Backoff and Jitter" (2015). */
export function backOffMs(failures: number, fraction: number, retryAfterMs = 0): number {
  return Math.max(retryAfterMs, Math.round(fraction * Math.min(longestWaitMs, firstWaitMs * 2 ** failures)))
}

const noteWork = assign<SyncContext, SyncEvent, undefined, SyncEvent, never>({ hasWork: true })
const noteOnline = assign<SyncContext, SyncEvent, undefined, SyncEvent, never>({ isOnline: true })
const noteOffline = assign<SyncContext, SyncEvent, undefined, SyncEvent, never>({ isOnline: false })
const tryNow = { target: 'exchanging' } as const
const comeBack = { target: 'exchanging', actions: noteOnline } as const
const goOffline = { target: 'offline', actions: noteOffline } as const

export const syncMachine = createMachine({
  types: {} as { context: SyncContext; events: SyncEvent },
  id: 'sync',
  initial: 'stopped',
  context: { failures: 0, waitMs: 0, hasWork: false, isOnline: true, reason: '' },
  on: {
    stop: '.stopped',
    work: { actions: noteWork },
    online: { actions: noteOnline },
    offline: { actions: noteOffline },
  },
  states: {
    stopped: {
      on: { start: [{ guard: ({ context }) => context.hasWork, target: 'exchanging' }, { target: 'idle' }] },
    },
    idle: { on: { work: tryNow, now: tryNow } },
    exchanging: {
      entry: assign({ hasWork: false, waitMs: 0 }),
      on: {
        now: { actions: noteWork },
        answered: [
          {
            guard: ({ context }) => context.hasWork,
            target: 'exchanging',
            reenter: true,
            actions: assign({ failures: 0, reason: '' }),
          },
          { target: 'idle', actions: assign({ failures: 0, reason: '' }) },
        ],
        unreachable: [
          {
            guard: ({ context }) => !context.isOnline,
            target: 'offline',
            actions: assign(({ context }) => ({ hasWork: true, failures: context.failures + 1 })),
          },
          {
            guard: ({ context }) => context.failures + 1 >= failuresToOpen,
            target: 'circuitOpen',
            actions: assign(({ context, event }) => ({
              hasWork: true,
              failures: context.failures + 1,
              waitMs: Math.max(longestWaitMs, event.retryAfterMs ?? 0),
              reason: event.reason,
            })),
          },
          {
            target: 'backingOff',
            actions: assign(({ context, event }) => ({
              hasWork: true,
              failures: context.failures + 1,
              waitMs: backOffMs(context.failures, event.fraction, event.retryAfterMs),
              reason: event.reason,
            })),
          },
        ],
        unauthorized: {
          target: 'signedOut',
          actions: assign({ hasWork: true, reason: 'sign-in needed' }),
        },
        refused: {
          target: 'blocked',
          actions: assign(({ event }) => ({ hasWork: true, reason: event.reason })),
        },
      },
    },
    backingOff: { on: { timer: tryNow, now: tryNow, online: comeBack, offline: goOffline } },
    circuitOpen: { on: { timer: tryNow, now: tryNow, online: comeBack, offline: goOffline } },
    offline: {
      entry: assign({ waitMs: longestWaitMs, reason: 'offline' }),
      on: { timer: tryNow, now: tryNow, online: comeBack },
    },
    signedOut: { on: { signIn: tryNow, now: tryNow } },
    blocked: { on: { now: tryNow } },
  },
})
