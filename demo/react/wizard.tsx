import { type FormEvent, type InputHTMLAttributes, useEffect, useRef } from 'react'
import { bindHistory } from 'waymark'
import { useProgress, useSaveStatus, useSessionValue } from 'waymark/react'
import { type CardSession, type CardSnapshot, libraryCard, ways } from './flow.ts'

interface Of {
  session: CardSession
}

export function Wizard({ session, onAnother }: Of & { onAnother: () => void }) {
  const step = useSessionValue(session, (now) => now.step)
  const isDone = useSessionValue(session, (now) => now.status === 'done')
  const title = isDone ? 'Thank you, your card is on its way' : libraryCard.leaves.get(step)?.title
  const heading = useRef<HTMLHeadingElement>(null)
  const lastTitle = useRef(title)
  useEffect(() => bindHistory(session), [session])
  useEffect(() => {
    document.title = `${title} – Library card`
    if (lastTitle.current !== title) heading.current?.focus()
    lastTitle.current = title
  }, [title])
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if ((await session.next()).type === 'invalid') document.getElementById('summary')?.focus()
  }
  return (
    <form noValidate onSubmit={submit} onBlur={() => isDone || session.commit()}>
      <Steps session={session} />
      <h1 ref={heading} tabIndex={-1} children={title} />
      <Summary session={session} />
      {isDone ? undefined : step === 'you' ? (
        <>
          <Text
            session={session}
            name="name"
            label="Full name"
            autoComplete="name"
            value={(now) => now.answers.you?.name}
            onType={(name) => session.set('you', { name })}
          />
          <Text
            session={session}
            name="email"
            label="Email address"
            type="email"
            autoComplete="email"
            value={(now) => now.answers.you?.email}
            onType={(email) => session.set('you', { email })}
          />
        </>
      ) : step === 'card' ? (
        <>
          <Ways session={session} />
          <Text
            session={session}
            name="motto"
            label="A motto for your card (optional)"
            value={(now) => now.answers.card?.motto}
            onType={(motto) => session.set('card', { motto })}
          />
        </>
      ) : (
        <Review session={session} />
      )}
      <div className="buttons">
        {isDone ? (
          <button type="button" onClick={onAnother} children="Ask for another card" />
        ) : (
          <button type="submit" className="main" children={step === 'review' ? 'Send' : 'Continue'} />
        )}
        {!isDone && step !== 'you' && <button type="button" onClick={() => session.back()} children="Back" />}
      </div>
      <SaveLine session={session} />
    </form>
  )
}
