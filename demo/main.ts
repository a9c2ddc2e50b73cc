/** The demo's page: finds or begins an application, and shows it. Only Waymark's public API is used. */
import { createWaymark, isWaymarkError, type Session } from 'waymark'
import { httpBackend } from 'waymark/backends'
import { openConnection } from './connection.ts'
import { type Housing, housing } from './flow.ts'
import { showJourney } from './journey.ts'
import { createAnnouncer } from './page/announcer.ts'
import { bindBreakPanel } from './page/break-panel.ts'
import { byId, focusOn, h } from './page/dom.ts'
import { askToResume } from './page/resume-dialog.ts'
import { memoryOf } from './remember.ts'

/** A visitor is whoever they say: `?account=second` is someone else. A real app has its sign-in. */
const account = new URLSearchParams(location.search).get('account') ?? 'demo'
const flowId = housing.id
const ofTab = memoryOf('tab')
const ofDevice = memoryOf('device')
const connection = openConnection()
const announcer = createAnnouncer(byId('live-status'), byId('live-news'))
const waymark = createWaymark({
  flows: [housing],
  account,
  backend: httpBackend({
    url: '/waymark',
    headers: (context) => ({ 'x-demo-account': context.account }),
    fetch: connection.fetch,
  }),
})

let hide = () => {}

history.scrollRestoration = 'manual'
bindBreakPanel(connection)
byId('skip').addEventListener('click', (event) => {
  event.preventDefault() // the hash of this page names the step
  focusOn(document.querySelector('h1') ?? byId('main'))
})
start().catch(showFailure)

async function start(): Promise<void> {
  const reloaded = await reopen()
  if (reloaded !== undefined) return show(reloaded, false)
  const [latest] = (await waymark.resumable()).filter(({ flow }) => flow.id === flowId)
  if (latest === undefined) return show(await waymark.open(flowId, { key: applicationKey() }), false)
  const choice = await askToResume(latest)
  const session = await waymark.resume(latest.id)
  if (choice === 'start-over') await session.restart()
  show(session, true)
}

/** This tab's session after a reload: no question is asked twice in one visit. */
async function reopen(): Promise<Session<Housing> | undefined> {
  const id = ofTab.get(`session:${account}`)
  if (id === undefined) return undefined
  try {
    return await waymark.resume(id)
  } catch (error) {
    if (isWaymarkError(error, 'session-unknown')) return undefined
    throw error
  }
}

function show(session: Session<Housing>, isFocusWanted: boolean): void {
  hide()
  ofTab.set(`session:${account}`, session.id)
  hide = showJourney(session, {
    connection,
    announcer,
    isFocusWanted,
    onTryNow: () => void waymark.sync.now(),
    onStartAnother: () => {
      startAnother(session).catch(showFailure)
    },
    onStartFork: () => {
      startFork(session).catch(showFailure)
    },
  })
  document.documentElement.dataset['ready'] = 'true'
}

async function startAnother(finished: Session<Housing>): Promise<void> {
  const next = 1 + Number(/\d+$/.exec(finished.key)?.[0] ?? 0)
  ofDevice.set(`application:${account}`, `application-${next}`)
  const session = await waymark.open(flowId, { key: `application-${next}` })
  show(session, true)
  await finished.close()
}

/** What came too late for an application that was sent is the beginning of the next. */
async function startFork(sent: Session<Housing>): Promise<void> {
  const { fork } = sent
  if (fork === undefined) return
  const session = await waymark.start(flowId, { answers: fork.answers })
  for (const { id } of fork.conflicts) sent.resolve(id, 'keep')
  show(session, true)
  await sent.close()
}

/** Each application of this account has a key of its own, the same on every device. */
function applicationKey(): string {
  return ofDevice.get(`application:${account}`) ?? 'application-1'
}

function showFailure(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  const heading = h('h1', { tabindex: -1 }, 'Your application could not be opened')
  byId('main').replaceChildren(
    h(
      'div',
      { class: 'step', 'data-step': 'failed' },
      heading,
      h('p', { class: 'lead' }, 'Nothing was deleted. Reload the page to try again.'),
      h('p', { class: 'notice', role: 'alert' }, message),
    ),
  )
  focusOn(heading)
  if (!isWaymarkError(error)) throw error
}
