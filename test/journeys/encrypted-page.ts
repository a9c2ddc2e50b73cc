/**
 * Answers typed into a session that is encrypted or not, for `encrypted.test.ts`. What is planted is made here, out of a
 * seed: neither the address, nor the script, nor anything else the browser keeps has it.
 */
import { createWaymark, defineFlow, type Encryption, isWaymarkError } from 'waymark'
import { memoryBackend } from 'waymark/backends'
import { keyBytes, passphraseOf, plantedText } from './planted.ts'

const query = new URLSearchParams(location.search)
const seed = query.get('seed')!
const act = query.get('act')!
const under = query.get('under')!

const flow = defineFlow({
  id: 'secret',
  title: 'Secret',
  steps: { one: { title: 'One' }, two: { title: 'Two' }, three: { title: 'Three' } },
})

run().then(report, (error: unknown) =>
  report({ type: 'failed', message: isWaymarkError(error) ? error.code : String(error) }),
)

function open(encryption: Encryption | undefined, isShared = false) {
  return createWaymark({
    flows: [flow],
    ...(encryption && { encryption }),
    ...(isShared && { isShared, backend: memoryBackend(), account: 'u1' }),
  })
}

function encryption(): Encryption | undefined {
  if (under === 'passphrase') return { passphrase: passphraseOf(seed) }
  if (under === 'key') return { key: async () => keyBytes(seed) }
  return undefined
}

async function run(): Promise<object> {
  if (act === 'type') return type()
  if (act === 'finish') return finish()
  const wrong = await open({ passphrase: 'not this one' })
    .open('secret')
    .then(() => 'opened')
    .catch((error: unknown) => (isWaymarkError(error) ? error.code : String(error)))
  const waymark = open(encryption())
  const listed = await waymark.resumable()
  const session = await waymark.open('secret')
  const { answers } = session.getSnapshot()
  const verified = (await session.verify()).type
  if (act === 'remove') await waymark.remove(session.id)
  await waymark.close()
  return { type: act, wrong, listed: listed.length, answers, verified }
}

/** Entries with text in one and in two bytes a character, a checkpoint, and typing that is no entry yet. */
async function type(): Promise<object> {
  const session = await open(encryption()).open('secret')
  session.set('one', { text: plantedText(seed) })
  session.commit()
  await session.saved('device')
  session.set('two', { text: `字 ${plantedText(seed)}` })
  await session.next()
  for (let i = 0; i < 20; i++) {
    session.set('two', { i })
    session.commit()
    await session.saved('device')
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  session.set('three', { text: `typing ${plantedText(seed)}` })
  await session.saved('strict')
  return { type: 'typed' }
}

/** On a shared device, sent to a server: until nothing is left of it. */
async function finish(): Promise<object> {
  const waymark = open(encryption(), true)
  const session = await waymark.open('secret')
  session.set('one', { text: plantedText(seed) })
  for (const _ of ['one', 'two', 'three']) await session.next()
  await session.saved('server')
  for (;;) {
    const again = await waymark.open('secret')
    if (again.id !== session.id) break
    await again.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return { type: 'finished', status: session.getSnapshot().status }
}

async function report(body: object): Promise<void> {
  await fetch('/report', { method: 'POST', body: JSON.stringify(body) })
}
