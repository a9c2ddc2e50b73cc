/**
 * Moves from step to step, told by how they ended.
 *
 * Invariants
 * - A move resolves only when what it did is stored, or with the reason why it is not.
 * - A move asked for again on the same step while it runs is the same one: one promise. From another step it is another.
 * - What was validated is what is finished: answers that changed meanwhile, here or in another tab, are validated again.
 * - Nothing is sent off, nothing called wrong or blocked, before what other tabs stored was read. A step that leads on to
 *   another is finished without reading: where others were first, the journal merges, which leaves a step finished only
 *   with the very answers it was finished with, and whoever is still where that led goes back to it.
 */
import type { StepIdOf } from '../flow/answers-of.ts'
import { type Flow, leafOf } from '../flow/definition.ts'
import { needsAttention } from '../flow/needs-attention.ts'
import { pathOf } from '../flow/path.ts'
import { type Issue, validateStep } from '../flow/validate-step.ts'
import { planOf } from '../machine/plan.ts'
import type { SessionEvent } from '../machine/session-event.ts'
import { isEnded, type SessionState, type StepId } from '../record/state.ts'
import type { MoveOutcome } from './outcome.ts'
import type { Session } from './session.ts'
import type { Saved } from './session-status.ts'

export type Moves<F extends Flow> = Pick<
  Session<F>,
  'next' | 'back' | 'goTo' | 'skip' | 'pause' | 'continue' | 'restart' | 'abandon' | 'reopen'
>

export function createMoves<F extends Flow>(of: {
  readonly flow: F
  readonly at: () => { readonly state: SessionState; readonly step: StepId }
  /** True where the event changed anything. */
  readonly send: (event: SessionEvent) => boolean
  /** Reads what other tabs stored. */
  readonly catchUp: () => Promise<void>
  /** Steps that were finished here and, after what others stored first, no longer are. */
  readonly takenBack: Set<StepId>
  /** What `next()` found wrong; what was typed is an entry from then on. */
  readonly onIssues: (issues: readonly Issue[]) => void
  readonly stored: () => Promise<Saved>
  readonly isRefused: () => boolean
}): Moves<F> {
  const { flow, at, send, catchUp, takenBack, onIssues, stored, isRefused } = of
  const running = new Map<string, Promise<MoveOutcome<F>>>()

  function once(name: string, run: () => Promise<MoveOutcome<F>>): Promise<MoveOutcome<F>> {
    const asked = `${name}@${at().step}`
    const known = running.get(asked)
    if (known !== undefined) return known
    const started = run().finally(() => running.delete(asked))
    running.set(asked, started)
    return started
  }

  async function end(type: 'moved' | 'blocked' | 'completed', step = at().step): Promise<MoveOutcome<F>> {
    const saved = await stored()
    // What others stored first may have taken the step off the path.
    const { answers, finished } = at().state
    const isThere = type !== 'moved' || pathOf(flow, answers, finished).steps.includes(step)
    return { type, saved, step: (isThere ? step : at().step) as StepIdOf<F> }
  }

  function move(event: SessionEvent): Promise<MoveOutcome<F>> {
    return once(JSON.stringify(event), async () => end(send(event) ? 'moved' : 'blocked'))
  }

  /** Whether the step here, were it finished, leads on to another: the one move that is made without reading first. */
  function leadsOn(): boolean {
    const plan = planOf(flow, at(), { type: 'next', isValid: true })
    return plan !== undefined && plan.state.status !== 'done' && plan.step !== at().step
  }

  async function next(hasRead = false): Promise<MoveOutcome<F>> {
    if (!hasRead && !leadsOn()) {
      await catchUp()
      return next(true)
    }
    const { step, state } = at()
    if (isEnded(state.status)) return end('blocked')
    const verdict = await validateStep(flow, step, state.answers)
    if (at().step !== step || at().state.answers[step] !== state.answers[step]) return next()
    if (verdict.type === 'invalid') {
      if (!hasRead) {
        await catchUp()
        return next(true)
      }
      const { issues } = verdict
      onIssues(issues)
      return { type: 'invalid', issues, saved: await stored(), step: step as StepIdOf<F> }
    }
    if (!hasRead && !leadsOn()) return next()
    onIssues([])
    takenBack.delete(step)
    send({ type: 'next', isValid: true })
    const now = at()
    if (now.state.status === 'done') return end('completed')
    if (now.step === step) return end('blocked', needsAttention(flow, now.state) ?? step)
    const outcome = await end('moved')
    return takenBack.delete(step) && at().step === outcome.step && send({ type: 'goTo', step })
      ? next()
      : outcome
  }

  async function skip(): Promise<MoveOutcome<F>> {
    await catchUp()
    const isMoved = send({ type: 'skip' })
    if (at().state.status === 'done') return end('completed')
    return end(isMoved ? 'moved' : 'blocked')
  }

  return {
    next: () => once('next', () => next()),
    skip: () => once('skip', skip),
    back: () => move({ type: 'back' }),
    async goTo(step) {
      const target = leafOf(flow, step).id
      return at().step === target ? end('moved') : move({ type: 'goTo', step: target })
    },
    pause: () => move({ type: 'pause' }),
    continue: () => move({ type: 'continue' }),
    restart: () => move({ type: 'restart' }),
    abandon: () => move({ type: 'abandon' }),
    reopen: () => (isRefused() ? move({ type: 'reopen' }) : once('reopen', () => end('blocked'))),
  }
}
