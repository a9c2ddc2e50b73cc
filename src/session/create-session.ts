/**
 * One session as an app holds it: the XState actor of its flow, and the journal that keeps what the actor emits.
 *
 *   set() ─► actor ─changes─► journal ─marks─► status
 *              ▲                 │ foreign
 *              └────── adopt ────┘
 *
 * Invariants
 * - Whatever changes the actor's state is journalled in the same task; nothing else is.
 * - A snapshot is made once per change and is the same object until the next.
 */
import type { Clock } from '../base/clock.ts'
import { createEmitter } from '../base/emitter.ts'
import { WaymarkError } from '../base/errors.ts'
import type { Random } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { applyPatch, diff, type Operation, toOperation } from '../base/patch.ts'
import type { AnswersOf } from '../flow/answers-of.ts'
import type { Flow } from '../flow/definition.ts'
import type { Journal, JournalEvent } from '../journal/journal.ts'
import type { Ledger } from '../journal/ledger.ts'
import type { Quarantined } from '../journal/quarantine.ts'
import type { Damage } from '../journal/restore.ts'
import { firstStep } from '../machine/plan.ts'
import { createSessionActor } from '../machine/session-actor.ts'
import type { SessionEvent } from '../machine/session-event.ts'
import { type Change, initialState, isEnded, type SessionState, type StepId } from '../record/state.ts'
import { createConflictList, type Fork, forkOf } from './conflicts.ts'
import { createEdits } from './edits.ts'
import { watchExpiry } from './expiry.ts'
import { createHistory } from './history.ts'
import { createMoves } from './moves.ts'
import { createSavedWait } from './saved-wait.ts'
import type { Session, SessionEventOf } from './session.ts'
import { type SessionSnapshot, snapshotOf } from './session-snapshot.ts'
import { type AtRisk, isSameStatus, type SessionStatus, type SyncPort, savedOf } from './session-status.ts'
import { createStepIssues } from './step-issues.ts'

export interface SessionOptions<F extends Flow> {
  readonly flow: F
  readonly key: string
  readonly clock: Clock
  readonly random: Random
  readonly sync: SyncPort | undefined
  /** Why nothing stored here survives the page, where that is so. */
  readonly storeProblem: () => AtRisk | undefined
  readonly readLedger: () => Promise<Ledger>
  readonly toFile: (options: { readonly passphrase?: string }) => Promise<Blob>
  readonly readQuarantine: () => Promise<readonly Quarantined[]>
  readonly onError: (error: unknown) => void
  /** Called by each `close()`: one opener less. The last one's promise rejects where it may not let go. */
  readonly release: () => Promise<void> | undefined
}

/** What the composition root drives a session with. */
export interface SessionHandle<F extends Flow = Flow> {
  readonly session: Session<F>
  onJournalEvent(event: JournalEvent): void
  /** The server's marks or the sync status moved. */
  onSyncChange(): void
  /** Someone opened it again while it was being closed. */
  keep(): void
  /** The session is over for this page: whoever waits on it is told. */
  end(): void
}

/** Builds a session over a journal that is open. */
export function createSession<F extends Flow>(
  journal: Journal,
  options: SessionOptions<F>,
): SessionHandle<F> {
  const { flow, key, clock, random, sync, storeProblem, onError } = options
  const id = journal.session
  const first = journal.state
  const actor = createSessionActor(flow, { state: first, step: first.step })
  const changed = createEmitter<void>()
  const statusChanged = createEmitter<void>()
  const marksMoved = createEmitter<void>()
  const events = createEmitter<{ type: string; event: unknown }>()
  const issues = createStepIssues(flow, onError)
  const conflictsOf = createConflictList()
  const takenBack = new Set<StepId>()
  let lastStep: StepId = first.step
  let isStructural = false
  /** Whoever opened it has their listeners on. */
  let isTold = false
  let isClosed = false
  let isClosing = false
  let snapshot: SessionSnapshot<F> | undefined
  let status: SessionStatus = readStatus()

  const saved = createSavedWait({
    journal,
    sync,
    storeProblem,
    marksMoved,
    isClosed: () => isClosed,
    onError,
  })

  const expiry = watchExpiry({
    expiry: flow.expiry,
    clock,
    lastAt: () => journal.at,
    isOver: () => isClosed || isEnded(at().state.status),
    onWarning: (expiresAt) => emit('expiring', { at: expiresAt }),
    async askOthers() {
      await journal.catchUp()
      return sync === undefined || sync.pull()
    },
    onExpired: () => void send({ type: 'expire' }),
  })

  actor.on('changes', ({ changes }) => record(changes))
  actor.subscribe({
    next: () => announce(),
    error: onError,
  })
  actor.start()
  const resumedFrom = journal.position
  lastStep = at().step
  // In a task of its own: whoever awaited the session has its listeners on by then.
  const cancelTelling = clock.after(0, () => {
    isTold = true
    if (resumedFrom >= 0) emit('resumed', { position: resumedFrom })
    expiry.look()
    tellDamage(journal.damage)
  })

  function at() {
    return actor.getSnapshot().context
  }

  function record(changes: readonly Change[]): void {
    if (!isStructural && changes.every((change) => change.type === 'set')) {
      for (const change of changes) if (change.type === 'set') journal.draft(change)
      return
    }
    const isStrict = changes.some((change) => ['finished', 'status', 'reopened'].includes(change.type))
    journal.append(changes, isStrict ? 'strict' : 'relaxed')
  }

  function announce(): void {
    snapshot = undefined
    if (isTold) expiry.look()
    const { step } = at()
    if (step !== lastStep) {
      lastStep = step
      issues.replace([])
      emit('moved', { step })
    }
    changed.emit()
  }

  function emit<T extends keyof SessionEventOf>(type: T, event: SessionEventOf[T]): void {
    events.emit({ type, event })
  }

  function tellDamage(damage: readonly Damage[]): void {
    if (damage.length > 0) emit('quarantined', { places: damage.map((found) => found.place) })
  }

  function readSnapshot(): SessionSnapshot<F> {
    const { state, step } = at()
    const { expiresAt } = expiry
    const now = snapshotOf(flow, { id, state, step, position: journal.position, issues: issues.all })
    const shown = expiresAt === undefined ? now : Object.freeze({ ...now, expiresAt })
    // Finished here is not yet sent: nothing is complete while something is pending.
    if (state.status !== 'done' || sync === undefined || status.saved.server === 'yes') return shown
    const fraction = Math.min(shown.progress.fraction, 0.99)
    return Object.freeze({ ...shown, progress: { ...shown.progress, fraction } })
  }

  function readStatus(): SessionStatus {
    return {
      saved: savedOf(journal, sync, storeProblem()),
      sync: sync?.status,
      conflicts: conflictsOf(at().state).length,
      parked: sync?.marks().parked,
    }
  }

  function refreshStatus(): void {
    const next = readStatus()
    if (isSameStatus(status, next)) return
    const before = status
    status = Object.freeze(next)
    if (next.parked !== undefined && next.parked.at !== before.parked?.at) {
      emit('parked', { reason: next.parked.reason })
    }
    const isProgress = next.saved.server !== before.saved.server && at().state.status === 'done'
    // Whoever hears of the status may look at the snapshot too.
    if (isProgress) snapshot = undefined
    statusChanged.emit()
    if (isProgress) announce()
  }

  function assertOpen(): void {
    if (!isClosed && !isClosing) return
    throw new WaymarkError('closed', `Session "${id}" was closed. Open it again to go on.`, {
      details: { session: id },
    })
  }

  function send(event: SessionEvent): boolean {
    assertOpen()
    const before = actor.getSnapshot()
    actor.send(event)
    return actor.getSnapshot() !== before
  }

  function assertRunning(): void {
    const { status: now } = at().state
    if (!isEnded(now)) return
    throw new WaymarkError('session-ended', `Session "${id}" has ended: nothing can be entered any more.`, {
      details: { session: id, status: now },
    })
  }

  function set(step: StepId, patch: readonly Operation[], isList: boolean): void {
    assertOpen()
    assertRunning()
    if (patch.length === 0) return
    isStructural = isList
    try {
      send({ type: 'set', step, patch })
    } finally {
      isStructural = false
    }
    revise(step, patch)
  }

  function revise(step: StepId, patch: readonly Operation[]): void {
    if (issues.revise(at().state, step, patch)) announce()
  }

  const moves = createMoves({
    flow,
    at,
    send,
    catchUp: journal.catchUp,
    takenBack,
    onIssues(found) {
      issues.replace(found)
      if (found.length === 0) return
      journal.commitDraft()
      announce()
    },
    async stored() {
      await saved('device')
      return readStatus().saved
    },
    isRefused: () => status.parked !== undefined,
  })
  const edits = createEdits({
    flow,
    session: id,
    random,
    answers: () => at().state.answers,
    apply: set,
  })

  const history = createHistory<F>({
    journal,
    readLedger: options.readLedger,
    now: at,
    snapshotOf: (state, position) => snapshotOf(flow, { id, state, step: state.step, position, issues: [] }),
  })

  const session: Session<F> = {
    id,
    flow,
    key,
    actor,
    getSnapshot: () => {
      snapshot ??= readSnapshot()
      return snapshot
    },
    subscribe: (listener) => changed.on(listener),
    status: {
      getSnapshot: () => status,
      subscribe: (listener) => statusChanged.on(listener),
    },
    ...edits,
    commit: () => journal.commitDraft(),
    ...moves,
    saved,
    extend() {
      assertOpen()
      assertRunning()
      journal.append([{ type: 'resumed', position: journal.position }], 'relaxed')
      announce()
      return saved('device')
    },
    get conflicts() {
      return conflictsOf(at().state)
    },
    get fork() {
      const { state } = at()
      return forkOf(state.answers, conflictsOf(state)) as Fork<AnswersOf<F>> | undefined
    },
    resolve(conflictId, choice) {
      const conflict = session.conflicts.find((one) => one.id === conflictId)
      if (conflict === undefined) return
      if (choice === 'restore') assertRunning()
      send({ type: 'resolve', id: conflictId, choice })
      revise(conflict.step, [toOperation(conflict.path, conflict.value)])
    },
    on: (type, listener) =>
      events.on((fired) => {
        if (fired.type === type) listener(fired.event as never)
      }),
    get parked() {
      return status.parked
    },
    async retry(waiting) {
      await sync?.push()
      return saved('server', waiting)
    },
    async discard() {
      if (sync !== undefined && status.parked !== undefined) {
        const before = at().state
        const acknowledged = (await sync.acknowledged()) ?? initialState(flow.ref, firstStep(flow))
        // What was entered since stays, over what is given up.
        const back = diff(before as unknown as Json, acknowledged as unknown as Json)
        send({
          type: 'revert',
          to: applyPatch(at().state as unknown as Json, back) as unknown as SessionState,
        })
        const outcome = await saved('device')
        if (outcome.type === 'saved') await sync.unpark()
        return outcome
      }
      return saved('device')
    },
    quarantined: options.readQuarantine,
    ...history,
    export: async (given = {}) => options.toFile(given),
    async close() {
      const released = isClosed || isClosing ? undefined : options.release()
      if (released === undefined) return
      isClosing = true
      try {
        await released
      } finally {
        isClosing = false
      }
    },
  }

  return {
    session,
    onJournalEvent(event) {
      switch (event.type) {
        case 'foreign': {
          const before = session.conflicts
          for (const step of Object.keys(at().state.finished)) {
            if (!Object.hasOwn(event.state.finished, step)) takenBack.add(step)
          }
          if (!isClosed) {
            // Opened here for the first time and untouched: begins where another device left off.
            const isUntouched = at().state.status === 'pending' && journal.marks.made === 0
            const step = isUntouched ? { step: event.state.step } : {}
            actor.send({ type: 'adopt', state: event.state, ...step })
          }
          const heard = session.conflicts.filter(({ id }) => !before.some((known) => known.id === id))
          if (heard.length > 0) emit('conflict', { conflicts: heard })
          break
        }
        case 'damaged':
          tellDamage(event.damage)
          break
        default:
      }
      refreshStatus()
      marksMoved.emit()
    },
    onSyncChange() {
      refreshStatus()
      marksMoved.emit()
    },
    keep() {
      isClosing = false
    },
    end() {
      isClosed = true
      cancelTelling()
      expiry.close()
      actor.stop()
      marksMoved.emit()
      emit('closed', {})
    },
  }
}
