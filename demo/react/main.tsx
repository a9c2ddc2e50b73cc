/** The second demo: three steps in React, on this device only. */
import { StrictMode, useEffect, useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import type { Resumable } from 'waymark'
import { useResume, useSession } from 'waymark/react'
import { waymark } from './flow.ts'
import { Wizard } from './wizard.tsx'

function App() {
  const resume = useResume(waymark)
  const [key, setKey] = useState<string>()
  const [left] = resume.sessions
  if (resume.status === 'loading') return <p>One moment…</p>
  if (key !== undefined || left === undefined) {
    return <Opened cardKey={key ?? 'default'} onAnother={() => setKey(String(Date.now()))} />
  }
  const goOn = () => setKey(left.key)
  return <Prompt left={left} onContinue={goOn} onStartOver={() => resume.startOver(left.id).then(goOn)} />
}

function Prompt(props: { left: Resumable; onContinue: () => void; onStartOver: () => void }) {
  const { step, progress, savedAt } = props.left
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby="resume" onClose={props.onContinue}>
      <h1 id="resume">Continue where you left off</h1>
      <p>
        {`${step.title}: ${progress.done} of ${progress.max} steps done. Saved ${new Date(savedAt).toLocaleString()}.`}
      </p>
      <div className="buttons">
        <button type="button" className="main" onClick={props.onContinue}>
          Continue
        </button>
        <button type="button" onClick={props.onStartOver}>
          Start over
        </button>
      </div>
    </dialog>
  )
}

function Opened({ cardKey, onAnother }: { cardKey: string; onAnother: () => void }) {
  const opening = useSession(waymark, 'library-card', { key: cardKey })
  if (opening.status === 'opening') return <p>One moment…</p>
  if (opening.status === 'failed') return <p role="alert">{String(opening.error)}</p>
  return <Wizard key={opening.session.id} session={opening.session} onAnother={onAnother} />
}

createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
