/** What the status line says of a session. Pure: every word here is a promise, so every word can be checked. */
import type { AtRisk, SessionStatus } from 'waymark'

export type StatusKind =
  | 'empty'
  | 'not-saved'
  | 'server-only'
  | 'saving'
  | 'parked'
  | 'signed-out'
  | 'blocked'
  | 'server'
  | 'offline'
  | 'waiting'
  | 'sending'
  | 'device'

export interface StatusWords {
  readonly kind: StatusKind
  /** Where everything entered is by now. */
  readonly headline: string
  readonly detail: string
  /** What is announced: without the seconds that pass. */
  readonly spoken: string
  /** Whether trying to reach the server at once makes sense. */
  readonly canTry: boolean
}

export interface StatusSources {
  readonly status: SessionStatus
  /** Nothing was entered yet. */
  readonly isUntouched: boolean
  readonly isOnline: boolean
  /** Why something typed could not be taken into the session at all. */
  readonly refusal: string | undefined
  /** Milliseconds since 1970. */
  readonly now: number
}

export function toStatusWords({ status, isUntouched, isOnline, refusal, now }: StatusSources): StatusWords {
  const { saved, sync, parked } = status
  const isOnServer = saved.server === 'yes' && !isUntouched
  if (refusal !== undefined) return say('not-saved', `Not saved: ${refusal}`, 'Everything else is kept.')
  if (saved.atRisk !== undefined && !isUntouched) {
    return isOnServer
      ? say('server-only', 'Saved on the server, not on this device', adviceOn(saved.atRisk))
      : say('not-saved', `Not saved: ${reasonOf(saved.atRisk)}`, adviceOn(saved.atRisk))
  }
  if (isUntouched) return say('empty', 'Nothing to save yet', 'Answers are saved as you type.')
  if (saved.device === 'no') return say('saving', 'Saving…', '')
  if (parked !== undefined) {
    return say('parked', 'Saved on this device', 'The server did not accept it: see below.')
  }
  if (isOnServer) return say('server', 'Saved on this device and on the server', '')
  if (saved.server === 'none' || sync === undefined || sync.state === 'stopped') {
    return say('device', 'Saved on this device', '')
  }
  switch (sync.state) {
    case 'signedOut':
      return say('signed-out', 'Saved on this device', 'Sign in again to send it to the server.')
    case 'blocked':
      return tryable(
        say('blocked', 'Saved on this device', 'The server refused the connection. Reload the page.'),
      )
    case 'offline':
      return tryable(offline)
    case 'backingOff':
    case 'circuitOpen':
      return tryable(isOnline ? waiting(sync.nextTryAt, now) : offline)
    case 'idle':
    case 'exchanging':
      return sync.failures > 0 && !isOnline
        ? offline
        : say('sending', 'Saved on this device', 'Sending to the server…')
  }
}

const offline = say('offline', 'Offline: saved on this device, will be sent', '')

function waiting(nextTryAt: number | undefined, now: number): StatusWords {
  const seconds = Math.max(1, Math.ceil(((nextTryAt ?? now) - now) / 1000))
  const words = say('waiting', 'Saved on this device', 'The server does not answer. Waiting to retry.')
  return { ...words, detail: `Waiting to retry in ${seconds} s` }
}

function say(kind: StatusKind, headline: string, detail: string): StatusWords {
  return { kind, headline, detail, spoken: toSentences(headline, detail), canTry: false }
}

function toSentences(...texts: readonly string[]): string {
  return texts
    .filter((text) => text !== '')
    .map((text) => (/[.…]$/.test(text) ? text : `${text}.`))
    .join(' ')
}

function tryable(words: StatusWords): StatusWords {
  return { ...words, canTry: true }
}

/** Why, in few words: the line must not grow on a phone. */
function reasonOf({ code, message }: AtRisk): string {
  switch (code) {
    case 'storage-full':
      return 'this device is full'
    case 'storage-unavailable':
      return 'this browser stores nothing here'
    case 'outdated':
      return 'a newer version of this page is open'
    default:
      return message
  }
}

/** What to do about it, in one sentence. */
function adviceOn({ code }: AtRisk): string {
  switch (code) {
    case 'storage-full':
      return 'Free some space on this device. Keep this page open until it says saved.'
    case 'storage-unavailable':
      return 'Keep this page open until your application is sent.'
    case 'outdated':
      return 'Reload the page to go on.'
    default:
      return 'Keep this page open: saving is tried again.'
  }
}
