import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { useProgress, useResume, useSaveStatus, useSession, useSessionValue } from '../../src/react.ts'
import type { Progress, Resumable, Session, SessionStatus } from '../../src/waymark.ts'
import { createWaymark, defineFlow } from '../../src/waymark.ts'

const trip = defineFlow({
  id: 'trip',
  title: 'Trip',
  steps: {
    traveller: { title: 'You', schema: z.object({ name: z.string(), age: z.coerce.number<string>() }) },
    bags: { title: 'Bags', each: z.object({ kilos: z.number() }) },
    review: { title: 'Check' },
  },
})
const visa = defineFlow({
  id: 'visa',
  title: 'Visa',
  steps: { passport: { title: 'Passport', schema: z.object({ number: z.string() }) } },
})
const waymark = createWaymark({ flows: [trip, visa] })

test('useSession is typed by the flow of that id', () => {
  const form = useSession(waymark, 'trip')
  expectTypeOf(form.status).toEqualTypeOf<'opening' | 'open' | 'failed'>()
  // @ts-expect-error there is a session only once it is open
  form.session
  if (form.status === 'failed') expectTypeOf(form.error).toEqualTypeOf<unknown>()
  if (form.status !== 'open') return
  expectTypeOf(form.session).toEqualTypeOf<Session<typeof trip>>()
  expectTypeOf(form.snapshot.step).toEqualTypeOf<'traveller' | 'bags' | 'review'>()
  expectTypeOf(form.snapshot.answers.traveller?.age).toEqualTypeOf<string | undefined>()
  // @ts-expect-error the other flow has that step, this one has not
  form.snapshot.answers.passport
  // @ts-expect-error this flow has no such step
  form.session.set('passport', { number: '1' })
  // @ts-expect-error the step has no such field
  form.session.set('traveller', { nmae: 'Ada' })
  // @ts-expect-error the input of the schema is a text, its output a number
  form.session.set('traveller', { age: 36 })
  // @ts-expect-error one cannot go to a step that is not there
  form.session.goTo('passport')
  form.session.set('traveller', { age: '36' })
})

test('useSession refuses what cannot be opened', () => {
  // @ts-expect-error no flow of that id was given to createWaymark
  useSession(waymark, 'tirp')
  // @ts-expect-error a key is a text
  useSession(waymark, 'trip', { key: 17 })
  // @ts-expect-error there is no such option
  useSession(waymark, 'trip', { resume: 'latest' })
})

test('useSessionValue gives what the selector picks', () => {
  const session = {} as Session<typeof trip>
  expectTypeOf(useSessionValue(session, (now) => now.answers.traveller?.name)).toEqualTypeOf<
    string | undefined
  >()
  expectTypeOf(useSessionValue(session, (now) => now.answers.bags?.[0]?.kilos ?? 0)).toEqualTypeOf<number>()
  expectTypeOf(useSessionValue(session, (now) => now.step)).toEqualTypeOf<'traveller' | 'bags' | 'review'>()
  // @ts-expect-error the snapshot has no such step
  useSessionValue(session, (now) => now.answers.passport)
  // @ts-expect-error the step has no such field
  useSessionValue(session, (now) => now.answers.traveller?.nmae)
  useSessionValue(
    session,
    (now) => now.answers.traveller?.name ?? '',
    // @ts-expect-error what is compared is what was picked, a text
    (a: number, b: number) => a === b,
  )
  expectTypeOf(useSessionValue(session.status, (now) => now.saved.device)).toEqualTypeOf<
    'no' | 'yes' | 'strict'
  >()
  // @ts-expect-error what is still opening is no session
  useSessionValue(useSession(waymark, 'trip'), (now) => now)
})

test('the other hooks take the session of any flow', () => {
  expectTypeOf(useProgress({} as Session<typeof trip>)).toEqualTypeOf<Progress>()
  expectTypeOf(useProgress({} as Session<typeof trip> | Session<typeof visa>)).toEqualTypeOf<Progress>()
  expectTypeOf(useSaveStatus({} as Session<typeof visa>)).toEqualTypeOf<SessionStatus>()
  expectTypeOf(useSaveStatus({} as Session)).toEqualTypeOf<SessionStatus>()
  // @ts-expect-error a snapshot cannot be followed
  useProgress({} as ReturnType<Session<typeof trip>['getSnapshot']>)
})

test('useResume lists heads and opens sessions of the flows given', () => {
  const resume = useResume(waymark)
  expectTypeOf(resume.status).toEqualTypeOf<'loading' | 'ready' | 'failed'>()
  expectTypeOf(resume.sessions).toEqualTypeOf<readonly Resumable[]>()
  expectTypeOf(resume.refresh()).toEqualTypeOf<Promise<void>>()
  expectTypeOf(resume.startOver('x')).toEqualTypeOf(resume.continue('x'))
  void resume.continue('x').then((session) => {
    expectTypeOf(session.flow.id).toEqualTypeOf<'trip' | 'visa'>()
  })
  // @ts-expect-error a session is named by its id
  void resume.continue(resume.sessions[0])
  // @ts-expect-error a head holds no answers
  resume.sessions[0]?.answers
  // @ts-expect-error there is an error only where it failed
  resume.error
})
