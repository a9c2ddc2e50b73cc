import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../src/base/canonical.ts'
import { isWaymarkError } from '../../../src/base/errors.ts'
import { sha256 } from '../../../src/base/hash.ts'
import { systemRandom } from '../../../src/base/ids.ts'
import type { Json } from '../../../src/base/json.ts'
import { importSession } from '../../../src/portable/import-session.ts'
import { readFile } from '../../../src/portable/portable-file.ts'
import { noChain, packEntry } from '../../../src/record/entry.ts'
import { createMemoryStore } from '../../../src/store/memory-store.ts'
import { preparePages } from '../../support/pages.ts'
import { everythingIn } from '../../support/searching.ts'

const { page } = preparePages()
let plain = ''
let sealed = ''

beforeAll(async () => {
  const waymark = page()
  for (const key of ['one', 'two']) {
    const session = await waymark.open('mortgage', { key })
    session.set('applicant', { name: 'Ada', joint: false })
    await session.next()
    session.add('incomes', { source: 'Work', amount: 10 })
    await session.next()
  }
  plain = await (await waymark.export()).text()
  sealed = await (await waymark.export({ passphrase: 'p' })).text()
})

/** What importing this text does to an empty device. */
async function importText(text: string, passphrase?: string) {
  const store = createMemoryStore()
  const target = { store, account: '', isTakingOver: false, random: systemRandom }
  const outcomes: string[] = []
  const reasons: string[] = []
  try {
    for (const read of await readFile(text, passphrase)) {
      const outcome = read.type === 'unreadable' ? read : await importSession(target, read.session)
      outcomes.push(outcome.type)
      if ('reason' in outcome) reasons.push(outcome.reason)
    }
  } catch (error) {
    if (!isWaymarkError(error)) throw error
    outcomes.push(error.code)
  }
  return { outcome: outcomes.join(), stored: await everythingIn(store), reasons }
}

type Loose = Record<string, Json>
interface File {
  sessions: { hash: string; session: Loose & { id: string; head: Loose; entries: Loose[]; state?: Json } }[]
}

/** The file with one session changed, its hash made right again: someone who knows the format. */
function forged(change: (session: File['sessions'][number]['session']) => unknown): string {
  const file = JSON.parse(plain) as File
  file.sessions.length = 1
  const [first] = file.sessions
  change(first!.session)
  first!.hash = sha256(canonicalJson(first!.session as unknown as Json))
  return JSON.stringify(file)
}

describe('a file that was cut or changed on its way', () => {
  test('is refused wherever it was cut', async () => {
    for (const text of [plain, sealed]) {
      for (let i = 0; i < 60; i++) {
        const cut = text.slice(0, Math.floor((text.length * i) / 60))
        expect(await importText(cut, 'p')).toMatchObject({ outcome: 'import-unreadable', stored: '' })
      }
    }
  })

  test('costs the session that a changed byte is in, and no other; nothing of it is stored', async () => {
    const whole = await importText(plain)
    expect(whole.outcome).toBe('imported,imported')
    const header = plain.indexOf('"sessions"')
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: header, max: plain.length - 1 }),
        fc.integer({ min: 0x20, max: 0x7e }),
        async (at, code) => {
          const text = plain.slice(0, at) + String.fromCharCode(code) + plain.slice(at + 1)
          const { outcome, stored } = await importText(text)
          const isSame = canonicalOf(text) === canonicalOf(plain)
          if (isSame) {
            expect(outcome).toBe('imported,imported')
            return
          }
          expect(['import-unreadable', 'unreadable,imported', 'imported,unreadable']).toContain(outcome)
          if (outcome === 'import-unreadable') expect(stored).toBe('')
          else expect(stored.length).toBeLessThan(whole.stored.length * 0.7)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('under a passphrase does not open with a byte changed', async () => {
    const file = JSON.parse(sealed) as { sealed: { data: string; salt: string; iterations: number } }
    const { data, salt } = file.sealed
    const flip = (text: string, at: number) =>
      text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
    for (const changed of [
      { data: flip(data, 3) },
      { data: flip(data, 40) },
      { data: flip(data, data.length - 6) },
      { salt: flip(salt, 3) },
      { iterations: 599_999 },
      { iterations: 1e12 },
      { iterations: 0 },
    ]) {
      const text = JSON.stringify({ ...file, sealed: { ...file.sealed, ...changed } })
      expect(await importText(text, 'p')).toMatchObject({ outcome: 'key-wrong', stored: '' })
    }
  })

  test('by a newer version asks for a reload', async () => {
    const newer = plain.replace('"v":1', '"v":2')
    expect(await importText(newer)).toMatchObject({ outcome: 'outdated', stored: '' })
  })

  test('or was never one, is refused', async () => {
    for (const text of [
      '',
      'null',
      '[]',
      '{}',
      '"waymark-export"',
      '{"format":"waymark-export"}',
      '{"format":"waymark-export","v":1}',
      '{"format":"waymark-export","v":1,"sessions":{}}',
      '{"format":"waymark-export","v":1,"sealed":[]}',
      '{"format":"waymark-export","v":1,"sealed":{"iterations":1,"salt":"%","data":"%"}}',
      '{"format":"waymark-export","v":"1","sessions":[]}',
      `{"format":"waymark-export","v":1,"sessions":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      JSON.stringify({ format: 'waymark-export', v: 1, sessions: Array(10_001).fill(null) }),
    ]) {
      expect(await importText(text, 'p')).toMatchObject({ outcome: 'import-unreadable', stored: '' })
    }
  })
})

describe('a file made to harm', () => {
  const foreign = (writer: string, changes: readonly unknown[], session: string, n = 0) => {
    const after = n === 0 ? noChain : { n: n - 1, hash: 'x'.repeat(64) }
    const { c, p, s } = packEntry({
      ...{ session, writer, after, at: 1, salt: 's', changes: changes as never },
    })
    return { c, p: p!, s: s! }
  }
  const writerIn = (it: { entries: Loose[] }) =>
    (JSON.parse(it.entries[0]!['c'] as string) as { writer: string }).writer
  const state = { flow: { id: 'mortgage', version: 1, hash: 'x' }, status: 'running', step: 'applicant' }
  const forgeries: readonly { name: string; reason: RegExp; forge: Parameters<typeof forged>[0] }[] = [
    {
      name: 'an entry of another session',
      reason: /of another session/,
      forge: (it) => it.entries.push(foreign('w1', [], 'other')),
    },
    { name: 'two entries swapped', reason: /off its chain/, forge: (it) => it.entries.reverse() },
    { name: 'an entry twice', reason: /off its chain/, forge: (it) => it.entries.push(it.entries[0]!) },
    {
      name: 'a link cut',
      reason: /off its chain/,
      forge: (it) => it.entries.push(foreign(writerIn(it), [], it.id, 2)),
    },
    {
      name: 'a payload changed',
      reason: /payload hash/,
      forge: (it) => Object.assign(it.entries[0]!, { p: '[]' }),
    },
    { name: 'a header that is none', reason: /malformed/, forge: (it) => it.entries.push({ c: '{}' }) },
    {
      name: 'an entry that is none',
      reason: /entries are malformed/,
      forge: (it) => it.entries.push({ c: 1 }),
    },
    {
      name: 'entries that are no list',
      reason: /entries are malformed/,
      forge: (it) => Object.assign(it, { entries: { length: 1 } }),
    },
    {
      name: 'a change no version knows',
      reason: /newer version/,
      forge: (it) => it.entries.push(foreign('w1', [{ type: 'evil' }], it.id)),
    },
    ...['__proto__', 'constructor', ''].map((writer) => ({
      name: `a writer called "${writer}"`,
      reason: /no name/,
      forge: (it: Parameters<Parameters<typeof forged>[0]>[0]) => it.entries.push(foreign(writer, [], it.id)),
    })),
    { name: 'the id of the key ring', reason: /no id/, forge: (it) => Object.assign(it, { id: '~ring' }) },
    { name: 'an id with a slash', reason: /no id/, forge: (it) => Object.assign(it, { id: '../x' }) },
    {
      name: 'a head of another session',
      reason: /head is malformed/,
      forge: (it) => Object.assign(it.head, { id: 'other' }),
    },
    {
      name: 'a head of another flow',
      reason: /another flow/,
      forge: (it) => Object.assign(it.head, { flow: { id: 'other', version: 1, title: 'Other' } }),
    },
    { name: 'a head that is none', reason: /head/, forge: (it) => Object.assign(it, { head: 'x' }) },
    { name: 'a state that is none', reason: /state/, forge: (it) => Object.assign(it, { state: 'x' }) },
    { name: 'a state without answers', reason: /state/, forge: (it) => Object.assign(it, { state }) },
    {
      name: 'a state with a text for answers',
      reason: /state/,
      forge: (it) => Object.assign(it, { state: { ...state, answers: 'x' } }),
    },
    {
      name: 'a state of another flow',
      reason: /another flow/,
      forge: (it) =>
        Object.assign(it, {
          state: { ...state, answers: {}, finished: {}, visited: {}, flow: { ...state.flow, id: 'y' } },
        }),
    },
    {
      name: 'a state in a status there is not',
      reason: /state/,
      forge: (it) => Object.assign(it, { state: { ...state, answers: {}, status: 'x' } }),
    },
    { name: 'a stamp that is none', reason: /stamp/, forge: (it) => Object.assign(it, { at: -1 }) },
    { name: 'nothing at all', reason: /nothing/, forge: (it) => Object.assign(it, { entries: [] }) },
  ]
  test.each(forgeries)('with $name is refused, and nothing of it stored', async ({ forge, reason }) => {
    const { outcome, stored, reasons } = await importText(forged(forge))
    expect([outcome, stored]).toEqual(['unreadable', ''])
    expect(reasons[0]).toMatch(reason)
  })

  test('changes no object of the page', async () => {
    const evil = '{"__proto__":{"isEvil":true},"constructor":{"prototype":{"isEvil":true}}}'
    await importText(forged((it) => Object.assign(it, { state: JSON.parse(evil) })))
    const answers = JSON.parse(`{"__proto__":${evil},"applicant":${evil}}`)
    const text = forged((it) =>
      Object.assign(it, { state: { ...state, answers, finished: {}, visited: {} } }),
    )
    const { outcome } = await importText(text)
    expect(['imported', 'unreadable']).toContain(outcome)
    const waymark = page()
    await waymark.import(text)
    for (const { id } of await waymark.resumable()) (await waymark.resume(id)).getSnapshot()
    expect(({} as { isEvil?: unknown }).isEvil).toBeUndefined()
  })

  test('never makes a page throw, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.jsonValue(),
        fc.constantFrom('id', 'head', 'entries', 'state', 'at', 'quarantine'),
        async (value, field) => {
          const { outcome } = await importText(forged((it) => Object.assign(it, { [field]: value })))
          expect(['unreadable', 'imported', 'import-unreadable']).toContain(outcome)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('what a file may hold', () => {
  test('goes as deep as answers may', async () => {
    let deep: Json = 'bottom'
    for (let i = 0; i < 98; i++) deep = { a: deep }
    const waymark = page()
    const session = await waymark.open('mortgage')
    session.set('notes', { deep } as never)
    const other = page()
    expect(await other.import(await waymark.export())).toMatchObject([{ type: 'imported' }])
    expect((await other.open('mortgage')).getSnapshot().answers).toEqual(session.getSnapshot().answers)
  })

  test('is as much as one transaction takes: long answers, a long journal', async () => {
    const waymark = page()
    const session = await waymark.open('mortgage')
    session.set('notes', { text: '字'.repeat(100_000) } as never)
    session.commit()
    for (let i = 0; i < 300; i++) {
      session.set('applicant', { name: `n${i}` })
      session.commit()
      await session.saved('device')
    }
    const other = page()
    expect(await other.import(await waymark.export())).toMatchObject([{ type: 'imported' }])
    const again = await other.open('mortgage')
    expect(again.getSnapshot().answers).toEqual(session.getSnapshot().answers)
    expect(await again.verify()).toMatchObject({ type: 'whole', entries: (await session.history()).length })
  })
})

function canonicalOf(text: string): string | undefined {
  try {
    const { sessions } = JSON.parse(text) as { sessions: Json }
    return canonicalJson(sessions)
  } catch {
    return undefined
  }
}
