/** Everything a store holds, as one text in which bytes are Latin-1: what can be found in it, someone can read. */
import { type Key, type Range, type Store, storeNames } from '../../src/store/store.ts'

export async function everythingIn(store: Store): Promise<string> {
  const ranges = storeNames.flatMap((name): Range[] => [
    { store: name, prefix: [] },
    { store: name, prefix: [], isKeys: true },
  ])
  return (await store.read(ranges)).flat().map(toText).join('\n')
}

function toText(value: unknown): string {
  if (value instanceof Uint8Array) return String.fromCharCode(...value)
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([name, member]) => `${name}=${toText(member)}`)
    .join(' ')
}

/** What lies under one key. */
export async function valueAt(store: Store, name: Range['store'], key: Key): Promise<unknown> {
  const [values = []] = await store.read([{ store: name, prefix: key, limit: 1 }])
  return values[0]
}
