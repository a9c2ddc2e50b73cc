/** Asking for a library card, in three steps. */
import { type AnswersOf, createWaymark, defineFlow, type Session, type StepIdOf } from 'waymark'
import { z } from 'zod'

/** Keeps zod from probing for `eval`, which a content security policy would report. */
z.config({ jitless: true })

export const libraryCard = defineFlow({
  id: 'library-card',
  title: 'Library card',
  steps: {
    you: {
      title: 'About you',
      schema: z.object({
        name: z.string('Enter your name').trim().min(1, 'Enter your name'),
        email: z.email('Enter an email address, like name@example.org'),
      }),
    },
    card: {
      title: 'Your card',
      schema: z.object({
        branch: z.string('Enter the library you use most').trim().min(1, 'Enter the library you use most'),
        motto: z.string().max(40, 'Use 40 characters or fewer').optional(),
      }),
    },
    review: { title: 'Check your answers' },
  },
})

export type Card = typeof libraryCard
export type CardSession = Session<Card>

export interface Question {
  readonly id: string
  readonly label: string
  readonly type?: 'text' | 'email'
  readonly autoComplete?: string
  read(answers: AnswersOf<Card>): string | undefined
  write(session: CardSession, value: string): void
}

export const questionsByStep: Readonly<Record<StepIdOf<Card>, readonly Question[]>> = {
  you: [
    {
      id: 'name',
      label: 'Full name',
      autoComplete: 'name',
      read: ({ you }) => you?.name,
      write: (session, name) => session.set('you', { name }),
    },
    {
      id: 'email',
      label: 'Email address',
      type: 'email',
      autoComplete: 'email',
      read: ({ you }) => you?.email,
      write: (session, email) => session.set('you', { email }),
    },
  ],
  card: [
    {
      id: 'branch',
      label: 'The library you use most',
      read: ({ card }) => card?.branch,
      write: (session, branch) => session.set('card', { branch }),
    },
    {
      id: 'motto',
      label: 'A motto for your card (optional)',
      read: ({ card }) => card?.motto,
      write: (session, motto) => session.set('card', { motto }),
    },
  ],
  review: [],
}

export const questions = Object.values(questionsByStep).flat()

export const waymark = createWaymark({ flows: [libraryCard], namespace: 'react-demo' })
