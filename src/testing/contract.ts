/** Checks of the conformance cases. They throw `contract-broken`, with what was expected and what was found. */
import { type ErrorCode, isWaymarkError, WaymarkError } from '../base/errors.ts'

export function equal(actual: unknown, expected: unknown): void {
  if (show(actual) !== show(expected)) throw broken(show(expected), show(actual))
}

/** Every member of `part` is in `actual`, at any depth; lists as long as each other. */
export function includes(actual: unknown, part: unknown): void {
  if (!isPartOf(part, actual)) throw broken(`something with ${show(part)}`, show(actual))
}

export async function rejects(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  const outcome = await work.then(
    (value) => `a promise of ${show(value)}`,
    (thrown: unknown) => (isWaymarkError(thrown, code) ? undefined : `a rejection with ${String(thrown)}`),
  )
  if (outcome !== undefined) throw broken(`a rejection coded ${code}`, outcome)
}

function isPartOf(part: unknown, whole: unknown): boolean {
  if (typeof part !== 'object' || part === null) return show(part) === show(whole)
  if (typeof whole !== 'object' || whole === null || Array.isArray(part) !== Array.isArray(whole))
    return false
  if (Array.isArray(part) && part.length !== (whole as readonly unknown[]).length) return false
  return Object.entries(part).every(([name, member]) => isPartOf(member, whole[name as keyof typeof whole]))
}

/** JSON with members in one order; lone surrogates and NUL stay visible. */
function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'object' && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    ) ?? String(value)
  )
}

function broken(expected: string, actual: string): WaymarkError {
  return new WaymarkError('contract-broken', `Expected ${expected}, got ${actual}`)
}
