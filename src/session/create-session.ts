/**
 * One session as an app holds it: the XState actor of its flow, and the journal that keeps what the actor emits.
 *
 *   set() ─► actor ─changes─► journal ─marks─► status
 *              ▲                 │ foreign
 *              └────── adopt ────┘
 *
 * Invariants
 * - Whatever changes the actor's state is journalled in the same task; nothing else is.
 * - A move resolves only when what it did is stored, or with the reason why it is not.
 * - A snapshot is made once per change and is the same object until the next.
 * - A move asked for again on the same step while it runs is the same one: one promise. From another step it is another.
 */
import { type Clock, msFromStamp } from '../base/clock.ts'
import { createEmitter } from '../base/emitter.ts'
import { WaymarkError } from '../base/errors.ts'
import { createId, type Random } from '../base/ids.ts'
import type { Json } from '../base/json.ts'
import { type Operation, parsePointer } from '../base/patch.ts'
import type { AnswersOf, StepIdOf } from '../flow/answers-of.ts'
import { type Flow, leafOf } from '../flow/definition.ts'
import { needsAttention } from '../flow/needs-attention.ts'
import { progressOf } from '../flow/progress.ts'
import { type Issue, type Validation, validateStep } from '../flow/validate-step.ts'
import type { Journal, JournalEvent } from '../journal/journal.ts'
import type { Ledger } from '../journal/ledger.ts'
import type { Damage } from '../journal/restore.ts'
import { createSessionActor } from '../machine/session-actor.ts'
import type { SessionEvent } from '../machine/session-event.ts'
import { type Change, isEnded, type KeyedItem, type SessionState, type StepId } from '../record/state.ts'
import type { MoveOutcome } from './outcome.ts'
import { createSavedWait } from './saved-wait.ts'
import type { Session, SessionEventOf } from './session.ts'
import type { SessionSnapshot } from './session-snapshot.ts'
import {
  type AtRisk,
  type Conflict,
  isSameStatus,
  type SessionStatus,
  type SyncPort,
  savedOf,
} from './session-status.ts'
import { patchOfFields, patchOfItem, patchOfList } from './set-patch.ts'

export interface SessionOptions<F extends Flow> {
  readonly flow: F
  readonly key: string
  readonly clock: Clock
  readonly random: Random
  readonly sync: SyncPort | undefined
  /** Why nothing stored here survives the page, where that is so. */
  readonly storeProblem: AtRisk | undefined
  readonly readLedger: () => Promise<Ledger>
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
  const place = (step: string) => ({ session: id, step })
  const first = journal.state
  const actor = createSessionActor(flow, { state: first, step: first.step })
  const changed = createEmitter<void>()
  const statusChanged = createEmitter<void>()
  const marksMoved = createEmitter<void>()
  const events = createEmitter<{ type: string; event: unknown }>()
  const running = new Map<string, Promise<MoveOutcome<F>>>()
  let issues: readonly Issue[] = []
  let conflicts: readonly Conflict[] = []
  let lastStep: StepId = first.step
  let isStructural = false
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
    if (resumedFrom >= 0) emit('resumed', { position: resumedFrom })
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
    const { step } = at()
    if (step !== lastStep) {
      lastStep = step
      issues = []
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
    const shown = snapshotOf(state, step, journal.position, issues)
    // Finished here is not yet sent: nothing is complete while something is pending.
    if (state.status !== 'done' || sync === undefined || status.saved.server === 'yes') return shown
    const fraction = Math.min(shown.progress.fraction, 0.99)
    return Object.freeze({ ...shown, progress: { ...shown.progress, fraction } })
  }

  function snapshotOf(
    state: SessionState,
    step: StepId,
    position: number,
    shown: readonly Issue[],
  ): SessionSnapshot<F> {
    return Object.freeze({
      id,
      flow: state.flow,
      position,
      status: state.status,
      step: step as StepIdOf<F>,
      answers: state.answers as AnswersOf<F>,
      issues: shown,
      finished: state.finished,
      visited: state.visited,
      progress: progressOf(flow, state, step),
      ...(state.submitted === undefined ? {} : { submitted: state.submitted as readonly StepIdOf<F>[] }),
    })
  }

  function readStatus(): SessionStatus {
    return {
      saved: savedOf(journal, sync, storeProblem),
      sync: sync?.status,
      conflicts: conflicts.length,
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
    statusChanged.emit()
    if (next.saved.server !== before.saved.server && at().state.status === 'done') announce()
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

  function set(step: StepId, patch: readonly Operation[], isList = false): void {
    assertOpen()
    if (isEnded(at().state.status)) {
      throw new WaymarkError('session-ended', `Session "${id}" has ended: nothing can be entered any more.`, {
        details: { session: id, status: at().state.status },
      })
    }
    if (patch.length === 0) return
    isStructural = isList
    try {
      send({ type: 'set', step, patch })
    } finally {
      isStructural = false
    }
    if (issues.some((issue) => issue.step === step)) reviseIssues(step, patch)
  }

  /** While a step is being mended its issues follow: by its schema where that answers at once, else by field. */
  function reviseIssues(step: StepId, patch: readonly Operation[]): void {
    let verdict: Validation | Promise<Validation>
    try {
      verdict = validateStep(flow, step, at().state.answers)
    } catch (error) {
      onError(error)
      return
    }
    if ('then' in verdict) {
      verdict.catch(onError)
      const touched = new Set(patch.map((operation) => parsePointer(operation.path)[0]))
      issues = issues.filter((issue) => !touched.has(parsePointer(issue.path)[0]))
    } else issues = verdict.type === 'invalid' ? verdict.issues.filter(isShown) : []
    announce()
  }

  /** Only what was already pointed out: mending one field does not scold about the next. */
  function isShown(issue: Issue): boolean {
    return issues.some((shown) => shown.path === issue.path)
  }

  function listOf(step: StepId): readonly KeyedItem[] {
    if (leafOf(flow, step).each === undefined) {
      throw new WaymarkError('step-unknown', `Step "${step}" of flow "${flow.id}" is not repeatable.`, {
        details: { flow: flow.id, step },
      })
    }
    return (at().state.answers[step] ?? []) as readonly KeyedItem[]
  }

  function once(name: string, run: () => Promise<MoveOutcome<F>>): Promise<MoveOutcome<F>> {
    const asked = `${name}@${at().step}`
    const known = running.get(asked)
    if (known !== undefined) return known
    const started = run().finally(() => running.delete(asked))
    running.set(asked, started)
    return started
  }

  async function end(type: 'moved' | 'blocked' | 'completed', step = at().step): Promise<MoveOutcome<F>> {
    await saved('device')
    return { type, step: step as StepIdOf<F>, saved: readStatus().saved }
  }

  function move(event: SessionEvent): Promise<MoveOutcome<F>> {
    return once(JSON.stringify(event), async () => end(send(event) ? 'moved' : 'blocked'))
  }

  async function next(): Promise<MoveOutcome<F>> {
    await journal.catchUp()
    const { step, state } = at()
    if (isEnded(state.status)) return end('blocked')
    const verdict = await validateStep(flow, step, state.answers)
    if (verdict.type === 'invalid') {
      issues = verdict.issues
      journal.commitDraft()
      announce()
      await saved('device')
      return { type: 'invalid', step: step as StepIdOf<F>, issues, saved: readStatus().saved }
    }
    // What was validated must be what is finished: answers that changed meanwhile are validated again.
    if (at().step !== step || at().state.answers[step] !== state.answers[step]) return next()
    issues = []
    send({ type: 'next', isValid: true })
    const now = at()
    if (now.state.status === 'done') return end('completed')
    if (now.step !== step) return end('moved')
    return end('blocked', needsAttention(flow, now.state) ?? step)
  }

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
    set(step, fields) {
      const { id: leaf, each } = leafOf(flow, step)
      const current = at().state.answers[leaf]
      if (each !== undefined) set(step, patchOfList(current, fields, place(step)), true)
      else set(step, patchOfFields(current, fields, place(step)))
    },
    add(step, item) {
      const list = listOf(step)
      const itemKey = createId(random, 8)
      set(
        step,
        patchOfList(at().state.answers[step], [...list, { ...(item as object), key: itemKey }], place(step)),
        true,
      )
      return itemKey
    },
    change(step, itemKey, fields) {
      const list = listOf(step)
      if (!list.some((item) => item.key === itemKey)) {
        throw new WaymarkError(
          'item-unknown',
          `Step "${step}" has no item "${itemKey}": it may have been removed in another tab.`,
          { details: { ...place(step), item: itemKey } },
        )
      }
      set(step, patchOfItem(list, itemKey, fields, place(step)))
    },
    drop(step, itemKey) {
      const list = listOf(step)
      const rest = list.filter((item) => item.key !== itemKey)
      if (rest.length < list.length) set(step, patchOfList(list, rest, place(step)), true)
    },
    commit: () => journal.commitDraft(),
    next: () => once('next', next),
    back: () => move({ type: 'back' }),
    async goTo(step) {
      const target = leafOf(flow, step).id
      return at().step === target ? end('moved') : move({ type: 'goTo', step: target })
    },
    skip: () =>
      once('skip', async () => {
        await journal.catchUp()
        const isMoved = send({ type: 'skip' })
        if (at().state.status === 'done') return end('completed')
        return end(isMoved ? 'moved' : 'blocked')
      }),
    pause: () => move({ type: 'pause' }),
    continue: () => move({ type: 'continue' }),
    restart: () => move({ type: 'restart' }),
    abandon: () => move({ type: 'abandon' }),
    reopen: () =>
      status.parked === undefined ? once('reopen', () => end('blocked')) : move({ type: 'reopen' }),
    saved,
    get conflicts() {
      return conflicts
    },
    resolve(conflictId, choice) {
      const conflict = conflicts.find((other) => other.id === conflictId)
      if (conflict === undefined) return
      conflicts = conflicts.filter((other) => other !== conflict)
      if (choice === 'restore') set(conflict.step, [restoreOperation(conflict)], true)
      refreshStatus()
    },
    on: (type, listener) =>
      events.on((fired) => {
        if (fired.type === type) listener(fired.event as never)
      }),
    get parked() {
      return status.parked
    },
    async history() {
      return (await options.readLedger()).entries
    },
    async at(position) {
      const ledger = await options.readLedger()
      const last = ledger.entries.at(-1)?.position ?? -1
      const at = Math.max(-1, Math.min(Math.trunc(position), last))
      const state = ledger.stateAt(at)
      return snapshotOf(state, state.step, at, [])
    },
    async verify() {
      const { entries, damage } = await options.readLedger()
      return damage.length === 0 ? { type: 'whole', entries: entries.length } : { type: 'broken', damage }
    },
    async toState() {
      const { checkpoints } = await options.readLedger()
      const { state, step } = at()
      const { failure } = journal.marks
      return {
        id,
        version: journal.position + 1,
        currentStep: step,
        status: state.status,
        payload: state.answers,
        checkpoints: checkpoints.map(({ step: of, at: when, hash }) => ({ step: of, at: when, hash })),
        ...(failure === undefined ? {} : { error: { code: failure.code, message: failure.message } }),
      }
    },
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
        case 'foreign':
          if (!isClosed) {
            // Opened here for the first time and untouched: begins where another device left off.
            const isUntouched = at().state.status === 'pending' && journal.marks.made === 0
            const step = isUntouched ? { step: event.state.step } : {}
            actor.send({ type: 'adopt', state: event.state, ...step })
          }
          if (event.losers.length > 0) {
            const heard = event.losers.map(
              (loser): Conflict => ({
                ...loser,
                at: msFromStamp(loser.at),
                id: createId(random, 8),
              }),
            )
            conflicts = [...conflicts, ...heard]
            emit('conflict', { conflicts: heard })
          }
          break
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
      actor.stop()
      marksMoved.emit()
    },
  }
}

function restoreOperation({ path, value }: Conflict): Operation {
  return value === undefined ? { op: 'remove', path } : { op: 'add', path, value: value as Json }
}
