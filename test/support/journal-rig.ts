import { createHybridClock } from '../../src/base/clock.ts'
import { createId, systemRandom } from '../../src/base/ids.ts'
import type { Journal, JournalEvent } from '../../src/journal/journal.ts'
import { openJournal } from '../../src/journal/open-journal.ts'
import type { Head } from '../../src/record/head.ts'
import type { SessionState } from '../../src/record/state.ts'
import type { Store } from '../../src/store/store.ts'
import { createFakeClock, type FakeClock } from './fake-clock.ts'

export const testFlow = { id: 'mortgage', version: 1, hash: 'f0' }

/** A journal as one page would open it: its own writer id, the given store. */
export async function openTestJournal(options: {
  store: Store
  session?: string
  clock?: FakeClock
}): Promise<{ journal: Journal; events: JournalEvent[]; clock: FakeClock; writer: string }> {
  const clock = options.clock ?? createFakeClock()
  const events: JournalEvent[] = []
  const writer = createId(systemRandom)
  const session = options.session ?? 's1'
  const journal = await openJournal({
    store: options.store,
    session,
    writer,
    clock,
    hybrid: createHybridClock(clock),
    random: systemRandom,
    start: { flow: testFlow, step: 'applicant', key: 'k' },
    isCheckpointDue: (changes) => changes.some((change) => ['finished', 'status'].includes(change.type)),
    toHead: (state) => toTestHead(session, state, clock.now()),
    onEvent: (event) => events.push(event),
  })
  return { journal, events, clock, writer }
}

export function toTestHead(session: string, state: SessionState, now: number): Head {
  return {
    v: 1,
    id: session,
    account: 'u1',
    key: 'k',
    flow: { id: state.flow.id, version: state.flow.version, title: 'Mortgage' },
    status: state.status,
    step: { id: state.step, title: state.step },
    progress: { done: Object.keys(state.finished).length, min: 3, max: 3 },
    createdAt: 0,
    savedAt: now,
  }
}

export function set(step: string, fields: Record<string, unknown>) {
  return {
    type: 'set' as const,
    step,
    patch: Object.entries(fields).map(([key, value]) => ({
      op: 'add' as const,
      path: `/${key}`,
      value: value as never,
    })),
  }
}
