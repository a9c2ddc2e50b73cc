import { readFileSync } from 'node:fs'
import { transformSync } from 'esbuild'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { createWaymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { durableStore } from '../../support/pages.ts'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')

/** The code of a section, with what it takes for granted. */
function codeIn(section: string, given: Record<string, unknown>, names: readonly string[]) {
  const text = readme.slice(readme.indexOf(`\n## ${section}\n`))
  const code = transformSync(/```ts\n([\s\S]*?)```/.exec(text)![1]!, { loader: 'ts' }).code
  return new Function(...Object.keys(given), `${code}\nreturn { ${names.join(', ')} }`)(
    ...Object.values(given),
  )
}

test('the merging of README offers what lost, uses the other, and begins again with what came too late', async () => {
  const later: { waymark?: unknown } = {}
  const given = {
    defineFlow,
    z,
    waymark: new Proxy({}, { get: (_, key) => Reflect.get(later.waymark as object, key) }),
  }
  const { household, offers, settleFork } = codeIn('Merging and conflicts', given, [
    'household',
    'offers',
    'settleFork',
  ])
  const [store, clock] = [durableStore(), createFakeClock()]
  const pages = ['one', 'two'].map((namespace) =>
    createWaymark({ flows: [household], store, clock, namespace: `readme-${namespace}` }),
  )
  later.waymark = pages[1]
  // biome-ignore lint/suspicious/noExplicitAny: typed by text that is read at run time
  const [a, b] = (await Promise.all(pages.map((page) => page.open('household')))) as [any, any]
  a.set('you', { name: 'Ada', email: 'a@x', rooms: 3 })
  a.add('people', { name: 'Ada', age: 36 })
  a.commit()
  await a.saved('device')
  await clock.advance(10)
  b.set('you', { name: 'Eve', email: 'b@x', rooms: 2 })
  b.add('people', { name: 'Eve', age: 20 })
  b.commit()
  await b.saved('device')
  const { answers } = b.getSnapshot()
  expect(answers.you).toEqual({ name: 'Ada', email: 'b@x', rooms: 3 })
  expect(answers.people.map(({ name }: { name: string }) => name)).toEqual(['Ada', 'Eve'])
  expect(
    offers(b)
      .map(({ text }: { text: string }) => text)
      .sort(),
  ).toEqual([
    'email: it stands "b@x", and was also entered as "a@x"',
    'name: it stands "Ada", and was also entered as "Eve"',
    'rooms: it stands 3, and was also entered as 2',
  ])
  for (const { text, keep, useOther } of offers(b)) (text.startsWith('email') ? useOther : keep)()
  expect([b.conflicts, b.getSnapshot().answers.you.email]).toEqual([[], 'a@x'])

  expect(await settleFork(b, true)).toBeUndefined()
  b.set('you', { name: 'late' })
  await b.saved('device')
  await a.skip()
  await a.abandon()
  b.commit()
  await b.skip()
  const again = await settleFork(b, true)
  expect(again.getSnapshot().answers.you).toEqual({ name: 'late', email: 'a@x', rooms: 3 })
  expect([b.fork, b.conflicts]).toEqual([undefined, []])
  for (const page of pages) await page.close()
})
