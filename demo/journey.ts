/** One session on the page: its step or its end, its progress, its status, the browser's history. */
import { bindHistory, isWaymarkError, type Progress, type Session } from 'waymark'
import type { Connection } from './connection.ts'
import type { Housing, HousingStep } from './flow.ts'
import type { Announcer } from './page/announcer.ts'
import { createConfirmation } from './page/confirmation.ts'
import { byId, focusOn } from './page/dom.ts'
import { showOffers } from './page/offers.ts'
import { createProgressRail } from './page/progress-rail.ts'
import { askToStartOver } from './page/resume-dialog.ts'
import { showStatusLine } from './page/status-line.ts'
import { createStepPage, type StepPage } from './page/step-page.ts'
import { createStepPort } from './page/step-port.ts'

export interface JourneyOptions {
  readonly connection: Connection
  readonly announcer: Announcer
  /** Whether the first heading takes the focus, as after a dialog. */
  readonly isFocusWanted: boolean
  readonly onTryNow: () => void
  readonly onStartAnother: () => void
  /** Begins another application with what came too late for this one. */
  readonly onStartFork: () => void
}

/** Shows the session until the returned function is called. */
export function showJourney(session: Session<Housing>, options: JourneyOptions): () => void {
  const { connection, announcer } = options
  const main = byId('main')
  const rail = createProgressRail()
  const refused = new Map<string, string>()
  const stopOffers = showOffers(session, options.onStartFork)
  const statusLine = showStatusLine({ session, connection, announcer, onTryNow: options.onTryNow })
  let stepPage: StepPage | undefined
  let confirmation: ReturnType<typeof createConfirmation> | undefined
  let shown: string | undefined
  /** The step being changed from the review, to return there after. */
  let changing: string | undefined
  let isHeld = false
  /** Nothing was entered here: what comes from another device is the beginning, not a change. */
  let wasUntouched = true
  /** Moves asked for here and not over yet; any other comes from another tab or device. */
  let moves = 0
  let heardPopAt = Number.NEGATIVE_INFINITY

  async function move(run: () => Promise<unknown>): Promise<void> {
    moves += 1
    try {
      await run()
    } catch (error) {
      if (!isWaymarkError(error)) throw error
      stepPage?.setNotice(error.message)
    } finally {
      moves -= 1
    }
  }

  const next = () =>
    move(async () => {
      const { step, progress } = session.getSnapshot()
      const isChange = changing === step
      isHeld = isChange
      try {
        const outcome = await session.next()
        if (outcome.type === 'moved' && isChange) await returnToReview(progress)
        if (outcome.type === 'blocked') await session.goTo(outcome.step)
        release()
        if (outcome.type === 'invalid') stepPage?.focusErrors()
        if (outcome.type === 'blocked') stepPage?.setNotice('This step is not finished yet.')
      } finally {
        release()
      }
    })

  /** After a change the review follows, unless the change opened a step that needs an answer first. */
  async function returnToReview(before: Progress): Promise<void> {
    const wasDone = new Set(
      before.steps.filter(({ state }) => state === 'finished' || state === 'skipped').map(({ id }) => id),
    )
    const { step, progress } = session.getSnapshot()
    const open = progress.steps.find(
      ({ id, state, isOptional }) =>
        !isOptional && (state === 'todo' || (state === 'current' && !wasDone.has(id))),
    )
    const target = (open?.id ?? 'review') as HousingStep
    changing = target
    if (target !== step) await session.goTo(target)
  }

  function release(): void {
    isHeld = false
    show()
  }

  async function startOver(): Promise<void> {
    if (await askToStartOver()) await move(() => session.restart())
  }

  function onRefused(field: string, message: string | undefined): void {
    announcer.typed()
    if (message === undefined) refused.delete(field)
    else refused.set(field, message)
    statusLine.refuse([...refused.values()][0])
    show()
  }

  function show(): void {
    if (isHeld) return
    const snapshot = session.getSnapshot()
    const isDone = snapshot.status === 'done'
    const place = isDone ? 'done' : snapshot.step
    if (place !== shown) swap(place)
    wasUntouched = snapshot.status === 'pending'
    rail.show(snapshot.progress, isDone)
    stepPage?.show(snapshot, refused)
    confirmation?.show(session.status.getSnapshot())
    document.title = titleOf(snapshot.issues.length > 0)
  }

  function swap(place: string): void {
    const isFirst = shown === undefined
    const isExpected =
      isFirst || wasUntouched || moves > 0 || performance.now() - heardPopAt < 1_000 || place === 'done'
    shown = place
    if (changing !== place || place === 'review') changing = undefined
    refused.clear()
    statusLine.refuse(undefined)
    stepPage = undefined
    confirmation = undefined
    if (place === 'done') confirmation = createConfirmation(session.id, options.onStartAnother)
    else stepPage = pageOf(place as HousingStep, isExpected)
    const { root, heading } = (confirmation ?? stepPage)!
    main.replaceChildren(root)
    if (confirmation !== undefined) confirmation.show(session.status.getSnapshot())
    if (isFirst && !options.isFocusWanted) return
    window.scrollTo(0, Math.min(window.scrollY, byId('journey').offsetTop))
    focusOn(heading)
  }

  function pageOf(step: HousingStep, isExpected: boolean): StepPage {
    const { progress } = session.getSnapshot()
    return createStepPage({
      step,
      title: progress.steps.find(({ id }) => id === step)?.title ?? step,
      port: createStepPort(session, step, onRefused),
      actions: {
        next: () => void next(),
        back: () => void move(() => session.back()),
        skip: () => void move(() => session.skip()),
        startOver: () => void startOver(),
      },
      nextLabel: step === 'review' ? 'Send application' : changing === step ? 'Save and return' : 'Continue',
      notice: isExpected
        ? undefined
        : 'Your answers changed in another tab or on another device. This is the next step now.',
      tell: announcer.news,
    })
  }

  function titleOf(isWrong: boolean): string {
    const heading = (confirmation ?? stepPage)?.heading.textContent ?? ''
    return `${isWrong ? 'Error: ' : ''}${heading} – ${session.flow.title}`
  }

  const onPop = () => {
    heardPopAt = performance.now()
  }
  const onClick = ({ target }: Event) => {
    const link = target instanceof Element ? target.closest<HTMLElement>('[data-change]') : null
    if (link !== null) changing = link.dataset['change']
  }
  window.addEventListener('popstate', onPop, true)
  main.addEventListener('click', onClick)
  const stops = [session.subscribe(show), session.status.subscribe(show)]
  // A deep link is asked for: the step it leads to needs no explanation.
  moves += 1
  const unbind = bindHistory(session)
  moves -= 1
  show()

  return () => {
    unbind()
    for (const stop of stops) stop()
    window.removeEventListener('popstate', onPop, true)
    main.removeEventListener('click', onClick)
    statusLine.close()
    stopOffers()
    main.replaceChildren()
  }
}
