/**
 * The promise, whole: the demo against its real server and database, in each engine. The browser is killed in the middle
 * of a word, the server is killed under the page, and what was typed arrives once, as typed.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { type DemoProcess, startDemoProcess } from '../support/demo-process.ts'
import { createProfile, engines, removeProfile } from '../support/engines.ts'
import { type Person, sitAtEphemeralWebKit, sitDown } from '../support/person.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp()
})

const field = (name: string) => `[name="${name}"]`
const choice = (name: string, value: string) => `${field(name)}[value="${value}"]`
const action = (name: string) => `[data-action="${name}"]`
const onDevice = /Saved on this device|Offline: saved on this device/

/** The answers as they must stand on the server, but for the keys the client makes. */
const typed = {
  start: { isAdult: 'yes', reason: 'new' },
  you: {
    fullName: 'A. Applicant',
    birth: { day: '27', month: '3', year: '1984' },
    email: 'someone@example.org',
    household: 'partner',
  },
  partner: { fullName: 'P. Partner', birth: { day: '3', month: '11', year: '1986' }, isWorking: 'no' },
  children: [
    { firstName: 'First', age: '7' },
    { firstName: 'Second', age: '4' },
  ],
  work: { situation: 'employed' },
  pay: { employer: 'A company', monthly: '1,950.50' },
  home: { street: '1 Long Street', town: 'Town', postcode: 'AB1 2CD', tenure: 'rent' },
  rent: { landlord: 'A landlord', amount: '800', every: 'month' },
  bank: { holder: 'A. Applicant', sortCode: '30 94 30', number: '12345678' },
  review: { isTrue: true },
}

const heading = (person: Person, step: string) => person.see(`[data-step="${step}"] h1`)

async function goOn(person: Person, to: string): Promise<void> {
  await person.click(action('next'))
  await heading(person, to)
}

async function fill(person: Person, step: string, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(fields)) await person.type(field(`${step}.${name}`), text)
}

async function fillDate(person: Person, name: string, date: { day: string; month: string; year: string }) {
  for (const part of ['day', 'month', 'year'] as const)
    await person.type(field(`${name}.${part}`), date[part])
}

async function untilHalfAPartner(person: Person): Promise<void> {
  await heading(person, 'start')
  await person.click(choice('start.isAdult', typed.start.isAdult))
  await person.click(choice('start.reason', typed.start.reason))
  await goOn(person, 'you')
  await fill(person, 'you', { fullName: typed.you.fullName, email: typed.you.email })
  await fillDate(person, 'you.birth', typed.you.birth)
  await person.click(choice('you.household', typed.you.household))
  await goOn(person, 'partner')
  await person.type(field('partner.fullName'), 'P. Par')
  await person.see('#status[data-device="yes"] #status-headline', onDevice)
}

async function restOfPartnerAndChildren(person: Person): Promise<void> {
  await person.type(field('partner.fullName'), 'tner')
  await fillDate(person, 'partner.birth', typed.partner.birth)
  await person.click(choice('partner.isWorking', typed.partner.isWorking))
  await goOn(person, 'children')
  for (const [i, child] of typed.children.entries()) {
    await person.click(action('add'))
    const item = `.item:nth-child(${i + 1})`
    await person.type(`${item} [name$=".firstName"]`, child.firstName)
    await person.type(`${item} [name$=".age"]`, child.age)
  }
}

async function restOfTheJourney(person: Person): Promise<void> {
  await goOn(person, 'work')
  await person.click(choice('work.situation', typed.work.situation))
  await goOn(person, 'pay')
  await fill(person, 'pay', typed.pay)
  await goOn(person, 'home')
  const { tenure, ...address } = typed.home
  await fill(person, 'home', address)
  await person.click(choice('home.tenure', tenure))
  await goOn(person, 'rent')
  await fill(person, 'rent', { landlord: typed.rent.landlord, amount: typed.rent.amount })
  await person.pick(field('rent.every'), typed.rent.every)
  await goOn(person, 'bank')
  await fill(person, 'bank', typed.bank)
  await goOn(person, 'more')
  await person.click(action('skip'))
  await heading(person, 'review')
  await person.see('[data-answer="pay.monthly"]', /1,950\.50/)
  await person.click(field('review.isTrue'))
  await person.click(action('next'))
  await person.see('[data-step="done"] h1', /Application received/)
}

async function expectOnServerOnce(demo: DemoProcess): Promise<void> {
  const sessions = await demo.sessions()
  expect(sessions).toHaveLength(1)
  const [{ status, submission } = { status: '', submission: undefined }] = sessions
  expect(status).toBe('done')
  const children = submission?.answers['children'] as ({ key: string } & Record<string, string>)[]
  expect({
    ...submission?.answers,
    children: children.map(({ key: _, ...child }) => child),
  }).toEqual(typed)
}

describe('the journey, killed on the way', () => {
  for (const engine of engines) {
    test(`${engine}: browser and server are killed, nothing typed is lost or sent twice`, async () => {
      const demo = await startDemoProcess()
      cleanUps.push(demo.remove)
      const profileDir = createProfile(engine)
      cleanUps.push(() => removeProfile(profileDir))

      const before = await sitDown(engine, profileDir, demo.url)
      await untilHalfAPartner(before)
      await before.kill()

      const person = await sitDown(engine, profileDir, demo.url)
      cleanUps.push(person.kill)
      await person.see('dialog [data-resume="step"]', /Your partner/)
      await person.see('dialog [data-resume="progress"]', /2 of at least \d+ steps done/)
      await person.see('dialog [data-resume="saved"]', /ago|now|minute|second/i)
      await person.click(`dialog ${action('continue')}`)
      await heading(person, 'partner')
      expect(await person.valueOf(field('partner.fullName'))).toBe('P. Par')

      await person.see('#status[data-server="yes"]')
      await demo.kill()
      await restOfPartnerAndChildren(person)
      await person.see('#status[data-server="pending"] #status-headline', onDevice)
      await demo.start()
      // The page asks again by itself, after waits that have grown up to a minute meanwhile.
      await person.see(
        '#status[data-server="yes"] #status-headline',
        /Saved on this device and on the server/,
        90_000,
      )

      await restOfTheJourney(person)
      await person.see('#status[data-server="yes"]')
      await expectOnServerOnce(demo)
    }, 300_000)
  }

  test('webkit: the same journey with real keys', async () => {
    const demo = await startDemoProcess()
    cleanUps.push(demo.remove)
    const person = await sitAtEphemeralWebKit(demo.url)
    cleanUps.push(person.kill)
    await untilHalfAPartner(person)
    await restOfPartnerAndChildren(person)
    await restOfTheJourney(person)
    await person.see('#status[data-server="yes"]')
    await expectOnServerOnce(demo)
  }, 180_000)
})
