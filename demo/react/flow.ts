/** Asking for a library card, in three steps. */
import { createWaymark, defineFlow, type Session, type SessionSnapshot } from 'waymark'
import { z } from 'zod'

/** Keeps zod from probing for `eval`, which a content security policy would report. */
z.config({ jitless: true })

export const ways = { collect: 'I will collect it', post: 'Post it to me' } as const

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
        way: z.enum(['collect', 'post'], 'Choose how you will get your card'),
        motto: z.string().max(40, 'Use 40 characters or fewer').optional(),
      }),
    },
    review: { title: 'Check your answers' },
  },
})

export type CardSession = Session<typeof libraryCard>
export type CardSnapshot = SessionSnapshot<typeof libraryCard>

export const waymark = createWaymark({ flows: [libraryCard], namespace: 'react-demo' })
