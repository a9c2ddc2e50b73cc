/** The second demo: three steps in React, kept on this device. A field renders when its own answer changes. */
import { StrictMode, useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { bindHistory } from 'waymark'
import { useProgress, useResume, useSaveStatus, useSession, useSessionValue } from 'waymark/react'
import { type CardSession, libraryCard, type Question, questions, questionsByStep, waymark } from './flow.ts'

type Of = { session: CardSession }

function App() {
  const resume = useResume(waymark)
  const [key, setKey] = useState<string>()
  const [left] = resume.sessions
  if (resume.status === 'loading') return <p>One moment…</p>
  if (key !== undefined || left === undefined) {
    return <Opened cardKey={key ?? 'default'} onAnother={() => setKey(String(Date.now()))} />
  }
  return (
    <section>
      <Heading title="Continue where you left off" />
      <p>{`You were at “${left.step.title}”, saved ${new Date(left.savedAt).toLocaleString()}.`}</p>
      <div className="buttons">
        <button type="button" onClick={() => setKey(left.key)}>
          Continue
        </button>
        <button type="button" onClick={() => resume.startOver(left.id).then(() => setKey(left.key))}>
          Start over
        </button>
      </div>
    </section>
  )
}

function Opened({ cardKey, onAnother }: { cardKey: string; onAnother: () => void }) {
  const opening = useSession(waymark, 'library-card', { key: cardKey })
  if (opening.status === 'opening') return <p>One moment…</p>
  if (opening.status === 'failed') return <p role="alert">{String(opening.error)}</p>
  return <Wizard session={opening.session} onAnother={onAnother} />
}

function Wizard({ session, onAnother }: Of & { onAnother: () => void }) {
  const step = useSessionValue(session, (now) => now.step)
  const isDone = useSessionValue(session, (now) => now.status === 'done')
  useEffect(() => bindHistory(session), [session])
  const submit = async (event: { preventDefault(): void }) => {
    event.preventDefault()
    if ((await session.next()).type !== 'invalid') return
    document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus()
  }
  if (isDone) {
    return (
      <section>
        <Heading title="Thank you, your card is on its way" />
        <button type="button" onClick={onAnother}>
          Ask for another card
        </button>
      </section>
    )
  }
  return (
    <form noValidate onBlur={() => session.commit()} onSubmit={submit}>
      <Steps session={session} />
      <Heading key={step} title={libraryCard.leaves.get(step)?.title ?? ''} />
      {questionsByStep[step].map((question) => (
        <Field key={question.id} session={session} question={question} />
      ))}
      {step === 'review' && <Review session={session} />}
      <div className="buttons">
        <button type="submit">{step === 'review' ? 'Send' : 'Continue'}</button>
        <button type="button" hidden={step === 'you'} onClick={() => session.back()}>
          Back
        </button>
      </div>
      <SaveLine session={session} />
    </form>
  )
}

function Field({ session, question }: Of & { question: Question }) {
  const { id, label, type, autoComplete, read, write } = question
  const value = useSessionValue(session, (now) => read(now.answers) ?? '')
  const wrong = useSessionValue(session, (now) => now.issues.find(({ path }) => path === `/${id}`)?.message)
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <p id={`${id}-wrong`}>{wrong}</p>
      <input
        {...{ id, type, autoComplete, value }}
        aria-invalid={wrong !== undefined}
        aria-describedby={`${id}-wrong`}
        onChange={(event) => write(session, event.target.value)}
      />
    </div>
  )
}

function Review({ session }: Of) {
  const answers = useSessionValue(session, (now) => now.answers)
  return (
    <dl>
      {questions.map(({ id, label, read }) => (
        <div key={id}>
          <dt>{label}</dt>
          <dd>{read(answers) || 'Not given'}</dd>
        </div>
      ))}
    </dl>
  )
}

function Steps({ session }: Of) {
  const { steps } = useProgress(session)
  return (
    <ol className="steps" aria-label="Steps">
      {steps.map(({ id, title, state }) => (
        <li key={id} className={state} aria-current={state === 'current' ? 'step' : undefined}>
          {title}
        </li>
      ))}
    </ol>
  )
}

/** Not a live region: it changes with every key. What is at risk interrupts. */
function SaveLine({ session }: Of) {
  const { device, atRisk } = useSaveStatus(session).saved
  if (atRisk !== undefined) return <p role="alert">{atRisk.message}</p>
  return <p className="saved">{device === 'no' ? 'Saving…' : 'Saved on this device'}</p>
}

/** Takes the focus: each one is a new page to whoever cannot see it. */
function Heading({ title }: { title: string }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} – Library card`
    heading.current?.focus()
  }, [title])
  return (
    <h1 ref={heading} tabIndex={-1}>
      {title}
    </h1>
  )
}

createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
