import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { preparePages } from '../../support/pages.ts'

const { page } = preparePages()

type Act =
  | { readonly type: 'answer'; readonly on: 0 | 1; readonly value: number }
  | { readonly type: 'keep'; readonly from: 0 | 1 }
  | { readonly type: 'import'; readonly to: 0 | 1; readonly copy: number }

const device = fc.constantFrom<0 | 1>(0, 1)
const acts = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('answer' as const), on: device, value: fc.nat(99) }),
    fc.record({ type: fc.constant('keep' as const), from: device }),
    fc.record({ type: fc.constant('import' as const), to: device, copy: fc.nat(9) }),
  ) satisfies fc.Arbitrary<Act>,
  { maxLength: 25 },
)

describe('copies of one session, made and brought back in any order', () => {
  test('only ever add to what is here: no entry goes, moves or changes, and every chain stays whole', async () => {
    await fc.assert(
      fc.asyncProperty(acts, async (list) => {
        const devices = [page(), page()] as const
        const sessions = await Promise.all(devices.map((one) => one.open('mortgage')))
        const copies: Blob[] = []
        const hashesOf = async (i: 0 | 1) => (await sessions[i]!.history()).map(({ hash }) => hash)
        for (const act of list) {
          if (act.type === 'answer') {
            sessions[act.on]!.set('applicant', { name: `${act.on} ${act.value}` })
            sessions[act.on]!.commit()
            await sessions[act.on]!.saved('device')
          }
          if (act.type === 'keep') copies.push(await devices[act.from].export())
          const copy = act.type === 'import' ? copies[act.copy % copies.length] : undefined
          if (act.type !== 'import' || copy === undefined) continue
          const before = await hashesOf(act.to)
          const shown = sessions[act.to]!.getSnapshot().answers
          const outcomes = await devices[act.to].import(copy)
          const after = await hashesOf(act.to)
          expect(after.slice(0, before.length)).toEqual(before)
          const isImported = outcomes.some(({ type }) => type === 'imported')
          expect(after.length > before.length).toBe(isImported)
          if (!isImported) expect(sessions[act.to]!.getSnapshot().answers).toEqual(shown)
          expect(await sessions[act.to]!.verify()).toMatchObject({ type: 'whole' })
        }
        for (const one of devices) await one.close()
      }),
      { numRuns: 60 },
    )
  })
})
