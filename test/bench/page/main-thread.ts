/**
 * How long a call holds the page's thread, in ms: until it returns, and what it leaves for the very same task. What it
 * does later, when the disk has answered, is not in it.
 */
export async function mainThreadMs(run: () => unknown): Promise<number> {
  const start = performance.now()
  const made = run()
  for (let turn = 0; turn < microtasks; turn++) await undefined
  const took = performance.now() - start
  await made
  return took
}

/** Turns of the microtask queue waited for: more than any promise chain here is long, and some microseconds. */
const microtasks = 20
