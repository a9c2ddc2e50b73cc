import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import { createWaymark, type Waymark } from '../../../src/client/create-waymark.ts'
import { defineFlow } from '../../../src/flow/define-flow.ts'
import type { Session } from '../../../src/session/session.ts'
import type { Store } from '../../../src/store/store.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { disk } from './device.ts'

/** Every value typed is a word of its own, so that each can be followed to where it ends. */
const item = z.object({
  name: z.string(),
  note: z.string(),
  pets: z.array(z.object({ key: z.string(), name: z.string() })),
})
const join = (_: string | undefined, ours: string | undefined, theirs: string | undefined) =>
  [...new Set([...wordsIn(ours), ...wordsIn(theirs)])].sort().join(' ')
const flow = defineFlow({
  id: 'lists',
  title: 'Lists',
  steps: {
    people: { title: 'People', each: item, merge: { note: join } },
    first: { title: 'Who was first', each: item, merge: { '*': 'theirs' } },
    last: { title: 'Who comes last', each: item, merge: { '*': 'ours' } },
    you: {
      title: 'You',
      schema: z.object({
        latest: z.string(),
        theirs: z.string(),
        ours: z.string(),
        ask: z.string(),
        join: z.string(),
        failing: z.string(),
      }),
      merge: {
        theirs: 'theirs',
        ours: 'ours',
        ask: 'ask',
        join,
        failing: () => {
          throw new Error('a mistake')
        },
      },
    },
  },
})
type Page = Session<typeof flow>
const lists = ['people', 'first', 'last'] as const
const fields = ['latest', 'theirs', 'ours', 'ask', 'join', 'failing'] as const

function wordsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.split(' ').filter((word) => /^w\d+$/.test(word))
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(wordsIn) : []
}

const who = fc.nat(5)
const where = { who, list: fc.constantFrom(...lists), at: fc.nat(3) }
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('field' as const), who, field: fc.constantFrom(...fields) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('add' as const), who, list: fc.constantFrom(...lists) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      ...where,
      field: fc.constantFrom('name', 'note', 'pets'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const), ...where }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('move' as const), ...where, to: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('commit' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const), who }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('resolve' as const), who, at: fc.nat(2), isKept: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('kill' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('offline' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('online' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('loseReply' as const) }) },
)
const end = fc.record({ do: fc.constant('end' as const), who })
type Act = typeof act | typeof end extends fc.Arbitrary<infer A> ? A : never

beforeAll(() => import('../../../src/sync/sync.ts'))

/** `RUNS=500` looks further. */
const numRuns = Number(process.env['RUNS'] ?? 12)

test.each<[string, fc.Arbitrary<readonly Act[]>]>([
  ['while the session runs', fc.array(act, { minLength: 4, maxLength: 45 })],
  [
    'where it is ended somewhere meanwhile',
    fc
      .tuple(
        fc.array(act, { maxLength: 25 }),
        end,
        fc.array(fc.oneof({ weight: 12, arbitrary: act }, end), { maxLength: 20 }),
      )
      .map(([before, ends, after]) => [...before, ends, ...after]),
  ],
])(
  'three devices with two tabs each agree in the end, and no word is lost unseen, %s',
  async (_, scripts) => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        const world = await openWorld()
        for (const one of script) await world.perform(one)
        await world.end()
        const [first, ...others] = world.sessions()
        const { answers, status } = first!.getSnapshot()
        for (const other of others) {
          expect(other.getSnapshot()).toMatchObject({ answers, status })
          expect(other.conflicts).toEqual(first!.conflicts)
        }
        expect(world.held()).toEqual(answers)
        expect(wordsIn(answers).filter((word) => !world.typed.has(word))).toEqual([])
        const offered = wordsIn(first!.conflicts.map(({ value }) => value))
        const accounted = new Set([...wordsIn(answers), ...offered, ...world.replaced])
        expect([...world.typed].filter((word) => !accounted.has(word))).toEqual([])
        await world.close()
      }),
      { numRuns },
    )
  },
  600_000,
)

async function openWorld() {
  const clock = createFakeClock()
  const backend = memoryBackend({ latencyMs: 40, clock })
  const disks = [disk(), disk(), disk()]
  const errors: unknown[] = []
  const typed = new Set<string>()
  /** Words somebody saw and replaced, removed or decided against. */
  const replaced = new Set<string>()
  const saw = (value: unknown) => {
    for (const word of wordsIn(value)) replaced.add(word)
  }
  let pages = 0
  let id: string | undefined

  /** The very session, also once it has ended and `open` would begin another. */
  async function openSession(waymark: Waymark<typeof flow>): Promise<Page> {
    const session = id === undefined ? undefined : await waymark.resume(id).catch(() => undefined)
    const opened = session ?? (await waymark.open('lists'))
    id = opened.id
    return opened
  }

  async function open(device: number) {
    const life = mortal(disks[device]!)
    const waymark: Waymark<typeof flow> = createWaymark({
      ...{ flows: [flow], account: 'u', clock, backend, store: life.store },
      namespace: `no-loss-${device}-${pages++}`,
      onError: (error) => errors.push(error),
    })
    return { ...life, waymark, session: await openSession(waymark) }
  }
  const tabs = await Promise.all([0, 0, 1, 1, 2, 2].map(open))
  const word = () => {
    const fresh = `w${typed.size}`
    typed.add(fresh)
    return fresh
  }

  async function perform(one: Act): Promise<void> {
    if (one.do === 'wait') return clock.advance(one.ms)
    if (one.do === 'loseReply') return backend.loseReplies(1)
    const tab = tabs[one.who]!
    const { session, waymark } = tab
    const { answers, status } = session.getSnapshot()
    const isOver = status === 'abandoned'
    if (isOver && ['field', 'add', 'change', 'drop', 'move', 'end'].includes(one.do)) return
    if (one.do === 'end') await session.abandon()
    else if (one.do === 'field') {
      saw(answers.you?.[one.field])
      session.set('you', { [one.field]: word() })
    } else if (one.do === 'add') session.add(one.list, { name: word(), note: word(), pets: [] })
    else if (one.do === 'change') {
      const target = answers[one.list]?.[one.at]
      if (target === undefined) return
      if (one.field === 'pets') {
        const pets = [...(target.pets ?? []), { key: `pet-${typed.size}`, name: word() }]
        session.change(one.list, target.key, { pets } as never)
      } else {
        saw(target[one.field as 'name'])
        session.change(one.list, target.key, { [one.field]: word() })
      }
    } else if (one.do === 'drop') {
      const target = answers[one.list]?.[one.at]
      if (target === undefined) return
      saw(target)
      session.drop(one.list, target.key)
    } else if (one.do === 'move') {
      const list = answers[one.list] ?? []
      const moved = list[one.at]
      if (moved === undefined) return
      const rest = list.filter((other) => other !== moved)
      session.set(one.list, [...rest.slice(0, one.to), moved, ...rest.slice(one.to)] as never)
    } else if (one.do === 'commit') session.commit()
    else if (one.do === 'look') await session.skip()
    else if (one.do === 'resolve') {
      const found = session.conflicts[one.at]
      if (found === undefined || (isOver && !one.isKept)) return
      saw(one.isKept ? found.value : found.kept)
      session.resolve(found.id, one.isKept ? 'keep' : 'restore')
    } else if (one.do === 'offline') waymark.sync.stop()
    else if (one.do === 'online') waymark.sync.start()
    else {
      await clock.advance(5)
      if (session.status.getSnapshot().saved.device === 'no') return
      tab.kill()
      tabs[one.who] = await open(Math.floor(one.who / 2))
    }
    await clock.advance(1)
  }

  return {
    typed,
    replaced,
    perform,
    sessions: () => tabs.map(({ session }) => session as Page),
    held() {
      const steps = backend.snapshot('u', tabs[0]!.session.id)?.steps ?? {}
      return Object.fromEntries(
        Object.entries(steps).flatMap(([step, text]) =>
          text === null || step.startsWith('/') ? [] : [[step, JSON.parse(text) as unknown]],
        ),
      )
    },
    async end() {
      for (let i = 0; i < 5; i++) {
        for (const { waymark, session } of tabs) {
          session.commit()
          waymark.sync.start()
          void openSession(waymark)
          void waymark.sync.now()
          await clock.advance(3_000)
        }
        await clock.advance(70_000)
      }
      for (const { session } of tabs) await session.skip()
      expect(errors.filter((error) => (error as { code?: string }).code !== 'merge-failed')).toEqual([])
    },
    async close() {
      for (const { waymark } of tabs) await waymark.close()
    },
  }
}

/** The same rows for every page of a device; a page that was killed reaches them no more. */
function mortal(store: Store) {
  let isDead = false
  const never = new Promise<never>(() => {})
  return {
    kill() {
      isDead = true
    },
    store: {
      ...store,
      write: (write) => (isDead ? never : store.write(write)),
      read: (ranges) => (isDead ? never : store.read(ranges)),
    } satisfies Store,
  }
}
