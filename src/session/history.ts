/** What a session was: read from its journal when asked for, never kept. */
import type { Flow } from '../flow/definition.ts'
import type { Journal } from '../journal/journal.ts'
import type { Ledger } from '../journal/ledger.ts'
import type { SessionState, StepId } from '../record/state.ts'
import type { Session } from './session.ts'
import type { SessionSnapshot } from './session-snapshot.ts'

export type History<F extends Flow> = Pick<Session<F>, 'history' | 'at' | 'verify' | 'toState'>

export function createHistory<F extends Flow>(of: {
  readonly journal: Journal
  readonly readLedger: () => Promise<Ledger>
  readonly now: () => { readonly state: SessionState; readonly step: StepId }
  readonly snapshotOf: (state: SessionState, position: number) => SessionSnapshot<F>
}): History<F> {
  const { journal, readLedger, now, snapshotOf } = of
  return {
    async history() {
      return (await readLedger()).entries
    },
    async at(position) {
      const ledger = await readLedger()
      const last = ledger.entries.at(-1)?.position ?? -1
      const found = Math.max(-1, Math.min(Math.trunc(position), last))
      return snapshotOf(ledger.stateAt(found), found)
    },
    async verify() {
      const { entries, damage } = await readLedger()
      return damage.length === 0 ? { type: 'whole', entries: entries.length } : { type: 'broken', damage }
    },
    async toState() {
      const { checkpoints } = await readLedger()
      const { state, step } = now()
      const { failure } = journal.marks
      return {
        id: journal.session,
        version: journal.position + 1,
        currentStep: step,
        status: state.status,
        payload: state.answers,
        checkpoints,
        ...(failure === undefined ? {} : { error: { code: failure.code, message: failure.message } }),
      }
    },
  }
}
