/** Virtual time. Events run in the order they are due, ties in the order they were asked for; promises run out between. */
export interface Scheduler {
  /** Milliseconds since the world began. */
  readonly now: number
  /** How many events have run. */
  readonly count: number
  /** Runs `event` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, event: () => void): () => void
  /** Lets promises run out, then runs what is due next, no later than `until`; false where nothing is. */
  step(until: number): Promise<boolean>
  /** Runs everything that falls due within `ms`. */
  advance(ms: number): Promise<void>
  /** Keeps time standing still until `work` is over: it answers in real time, as a user's own backend may. */
  hold<T>(work: Promise<T>): Promise<T>
  /** Lets promises run out. */
  settle(): Promise<void>
}

interface Event {
  readonly dueAt: number
  readonly order: number
  run: (() => void) | undefined
}

export function createScheduler(): Scheduler {
  const heap: Event[] = []
  let now = 0
  let order = 0
  let count = 0
  let held = 0

  async function settle(): Promise<void> {
    do await nextTask()
    while (held > 0)
  }

  const scheduler: Scheduler = {
    get now() {
      return now
    },
    get count() {
      return count
    },
    after(delayMs, run) {
      const event: Event = { dueAt: now + Math.max(0, delayMs), order: order++, run }
      push(heap, event)
      return () => {
        event.run = undefined
      }
    },
    async step(until) {
      await settle()
      for (;;) {
        const event = heap[0]
        if (event === undefined || event.dueAt > until) return false
        pop(heap)
        if (event.run === undefined) continue
        now = event.dueAt
        count += 1
        event.run()
        return true
      }
    },
    async advance(ms) {
      const until = now + ms
      while (await scheduler.step(until));
      now = until
    },
    hold(work) {
      held += 1
      return work.finally(() => (held -= 1))
    },
    settle,
  }
  return scheduler
}

/** The next task of the platform: every promise that can run has run by then. */
function nextTask(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown }
  return new Promise((resolve) => {
    if (setImmediate !== undefined) return void setImmediate(resolve)
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

function isBefore(a: Event, b: Event): boolean {
  return a.dueAt < b.dueAt || (a.dueAt === b.dueAt && a.order < b.order)
}

function push(heap: Event[], event: Event): void {
  let at = heap.push(event) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(event, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = event
}

function pop(heap: Event[]): void {
  const event = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1
    if (!isBefore(heap[child]!, event)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = event
}
