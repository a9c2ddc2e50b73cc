/**
 * Vitest 5 runs on Node 20 but for these three, which its own process uses (Node 21 and 22 have them).
 * Only that process gets them: tests run in workers and browsers, so code under test cannot come to rely on them.
 */
function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T, index: number) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  let index = 0
  for (const item of items) {
    const key = keyOf(item, index++)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

function withResolvers() {
  let resolve: (value: unknown) => void
  let reject: (reason: unknown) => void
  const promise = new Promise((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve: resolve!, reject: reject! }
}

const additions: readonly [object, string, unknown][] = [
  [Map, 'groupBy', groupBy],
  [Object, 'groupBy', (...args: Parameters<typeof groupBy>) => Object.fromEntries(groupBy(...args))],
  [Promise, 'withResolvers', withResolvers],
]

for (const [target, name, value] of additions) {
  if (!(name in target)) Object.defineProperty(target, name, { value, configurable: true, writable: true })
}
