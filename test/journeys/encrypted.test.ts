/**
 * What lies in the browser's profile on the disk, byte by byte: an answer is found in it where it was not encrypted, and
 * not where it was; nor, once its keys are deleted, is anything left that would bring it back.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createProfile, type Engine, engines, launchEngine, removeProfile } from '../support/engines.ts'
import { type PageServer, servePage } from '../support/page-server.ts'
import { type Finding, findText, holdsBytes } from '../support/search-bytes.ts'
import { keyBytes, passphraseOf, plantedText } from './planted.ts'

interface Report {
  readonly type: string
  readonly message?: string
  readonly wrong?: string
  readonly listed?: number
  readonly answers?: Readonly<Record<string, { readonly text?: string }>>
  readonly verified?: string
}

let server: PageServer<Report & { seed: string }>
const profiles: string[] = []
beforeAll(async () => {
  server = await servePage('test/journeys/encrypted-page.ts')
})
afterAll(async () => {
  await server.close()
  for (const profile of profiles) removeProfile(profile)
})

/** Where an engine keeps IndexedDB, in its profile. */
const isStorage = (path: string) => /IndexedDB|indexeddb|storage|databases|idb/.test(path)

/** A visit of the page that ends with SIGKILL as soon as it has reported. */
async function visit(engine: Engine, profileDir: string, query: Record<string, string>): Promise<Report> {
  const count = server.reports.length
  const browser = await launchEngine(engine, {
    profileDir,
    url: `${server.url}?${new URLSearchParams(query)}`,
  })
  try {
    const report = await server.waitFor((one) => server.reports.indexOf(one) >= count, 60_000)
    expect(report.message).toBeUndefined()
    return report
  } finally {
    await browser.kill()
  }
}

function newProfile(engine: Engine): string {
  const profile = createProfile(engine)
  profiles.push(profile)
  return profile
}

const find = (profile: string, text: string): Finding[] => findText(profile, text, isStorage)

describe('the search', () => {
  test('finds a text in every form it is looked for in, and no other', () => {
    const text = plantedText('forms')
    const folder = mkdtempSync(join(tmpdir(), 'waymark-forms-'))
    const half = Buffer.from(text.slice(0, 8))
    const rest = Buffer.from(text.slice(8))
    const pad = Buffer.from('some text before it, ')
    // A Snappy block: literal "pad", literal half, literal "--", a copy of the half, literal rest.
    const snappy = Buffer.concat([
      Buffer.from([pad.length + 18 + rest.length]),
      ...[Buffer.from([(pad.length - 1) << 2]), pad],
      ...[Buffer.from([(half.length - 1) << 2]), half],
      ...[Buffer.from([(2 - 1) << 2]), Buffer.from('--')],
      Buffer.from([((8 - 4) << 2) | 1, 10]),
      ...[Buffer.from([(rest.length - 1) << 2]), rest],
    ])
    const around = (bytes: Buffer) => Buffer.concat([Buffer.alloc(1_000, 7), bytes, Buffer.alloc(1_000, 9)])
    const forms: Record<string, Buffer> = {
      'utf-8': Buffer.from(text),
      'utf-16le': Buffer.from(text, 'utf16le'),
      'utf-8 in snappy': snappy,
      'utf-8 in deflate': deflateSync(Buffer.from(`x${text}y`)),
    }
    try {
      for (const shift of [0, 1, 2]) {
        forms[`base64 ${shift}`] = Buffer.from(
          Buffer.from(`${'x'.repeat(shift)}${text}yz`).toString('base64'),
        )
      }
      for (const [name, bytes] of Object.entries(forms)) writeFileSync(join(folder, name), around(bytes))
      writeFileSync(join(folder, 'other'), around(Buffer.from(plantedText('another'))))
      const found = findText(folder, text).map(({ file, form }) => [file.replace(/ \d$/, ''), form])
      expect(found.sort()).toEqual(
        Object.keys(forms)
          .map((name) => [name.replace(/ \d$/, ''), name.replace(/ \d$/, '')])
          .sort(),
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

for (const engine of engines) {
  describe(`${engine}: the files of the profile`, () => {
    test('show an answer that is not encrypted', async () => {
      const [profile, seed] = [newProfile(engine), randomUUID()]
      await visit(engine, profile, { seed, act: 'type', under: 'nothing' })
      const forms = find(profile, plantedText(seed)).map(({ form }) => form)
      expect(forms).toContain('utf-8')
      expect(forms).toContain('utf-16le')
    })

    for (const under of ['passphrase', 'key']) {
      test(`show nothing of one under a ${under}, before or after its keys are deleted`, async () => {
        const [profile, seed] = [newProfile(engine), randomUUID()]
        const planted = plantedText(seed)
        await visit(engine, profile, { seed, act: 'type', under })
        expect(find(profile, planted)).toEqual([])

        const read = await visit(engine, profile, { seed, act: 'read', under })
        expect(read).toMatchObject({ wrong: 'key-wrong', listed: 1, verified: 'whole' })
        expect(read.answers).toMatchObject({
          one: { text: planted },
          two: { text: `字 ${planted}` },
          three: { text: `typing ${planted}` },
        })

        const removed = await visit(engine, profile, { seed, act: 'remove', under })
        expect(removed.answers?.['one']).toEqual({ text: planted })
        expect(find(profile, planted)).toEqual([])
        expect(find(profile, passphraseOf(seed))).toEqual([])
        expect(holdsBytes(profile, keyBytes(seed))).toBe(false)
        expect(await visit(engine, profile, { seed, act: 'read', under })).toMatchObject({
          listed: 0,
          answers: {},
        })
      })
    }

    test('show nothing of one that was finished on a shared device, and the browser has no session', async () => {
      const [profile, seed] = [newProfile(engine), randomUUID()]
      await visit(engine, profile, { seed, act: 'finish', under: 'key' })
      expect(find(profile, plantedText(seed))).toEqual([])
      expect(await visit(engine, profile, { seed, act: 'read', under: 'key' })).toMatchObject({ listed: 0 })
    })
  })
}
