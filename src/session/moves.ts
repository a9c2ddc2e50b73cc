/**
 * Moves from step to step, told by how they ended.
 *
 * Invariants
 * - A move resolves only when what it did is stored, or with the reason why it is not.
 * - A move asked for again on the same step while it runs is the same one: one promise. From another step it is another.
 * - What was validated is what is finished: answers that changed meanwhile, here or in another tab, are validated again.
 * - Nothing is sent off, and no answer called wrong, before what other tabs stored was read. A step on the way is finished
 *   without reading: where others were first, the journal merges, which leaves a step finished only with the very answers
 *   it was finished with, and this looks at it again.
 */
import type { StepIdOf } from '../flow/answers-of.ts'
import { type Flow, leafOf } from '../flow/definition.ts'
import { needsAttention } from '../flow/needs-attention.ts'
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
  /** What `next()` found wrong; what was typed is an entry from then on. */
  readonly onIssues: (issues: readonly Issue[]) => void
  readonly stored: () => Promise<Saved>
  readonly isRefused: () => boolean
}): Moves<F> {
  const { flow, at, send, catchUp, onIssues, stored, isRefused } = of
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
    return { type, saved: await stored(), step: step as StepIdOf<F> }
  }

  function move(event: SessionEvent): Promise<MoveOutcome<F>> {
    return once(JSON.stringify(event), async () => end(send(event) ? 'moved' : 'blocked'))
  }

  /** Whether the step here is the last one, were it finished. */
  function wouldEnd(): boolean {
    return planOf(flow, at(), { type: 'next', isValid: true })?.state.status === 'done'
  }

  async function next(): Promise<MoveOutcome<F>> {
    const isLast = wouldEnd()
    if (isLast) await catchUp()
    const { step, state } = at()
    if (isEnded(state.status)) return end('blocked')
    const isAsValidated = () => at().step === step && at().state.answers[step] === state.answers[step]
    const verdict = await validateStep(flow, step, state.answers)
    if (verdict.type === 'invalid') await catchUp()
    if (!isAsValidated() || wouldEnd() !== isLast) return next()
    if (verdict.type === 'invalid') {
      const { issues } = verdict
      onIssues(issues)
      return { type: 'invalid', issues, saved: await stored(), step: step as StepIdOf<F> }
    }
    onIssues([])
    send({ type: 'next', isValid: true })
    const now = at()
    if (now.state.status === 'done') return end('completed')
    if (now.step === step) return end('blocked', needsAttention(flow, now.state) ?? step)
    const outcome = await end('moved')
    const isUndone = !isEnded(at().state.status) && !Object.hasOwn(at().state.finished, step)
    return isUndone && at().step === now.step && send({ type: 'goTo', step }) ? next() : outcome
  }

  async function skip(): Promise<MoveOutcome<F>> {
    await catchUp()
    const isMoved = send({ type: 'skip' })
    if (at().state.status === 'done') return end('completed')
    return end(isMoved ? 'moved' : 'blocked')
  }

  return {
    next: () => once('next', next),
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
