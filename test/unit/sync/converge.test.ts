import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device } from './device.ts'

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('set'), who: fc.nat(1), field: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('wait'), ms: fc.integer({ min: 1, max: 3_000 }) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('loseReply') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pull'), who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('stopStart'), who: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('backup') }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('restore') }) },
)

describe('two devices', () => {
  test('agree with the server in the end, whatever was lost, cut or restored meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (script) => {
        const clock = createFakeClock()
        let current = memoryBackend({ latencyMs: 40, clock })
        // A backup hears everything until it is taken; restoring puts it in the server's place.
        let backup: ReturnType<typeof memoryBackend> | undefined = memoryBackend()
        let isBackingUp = true
        const backend: Backend = {
          async exchange(...call) {
            if (isBackingUp) await backup?.exchange(...call)
            return current.exchange(...call)
          },
        }
        const pages = [device({ clock, backend }), device({ clock, backend })]
        const sessions = await Promise.all(pages.map(({ waymark }) => waymark.open('mortgage')))
        await clock.advance(1_000)
        const last = new Map<string, Set<unknown>>()
        let count = 0
        for (const one of script) {
          if ('field' in one) {
            const value = `${one.who}-${count++}`
            sessions[one.who]!.set('notes', { [`f${one.field}`]: value })
            sessions[one.who]!.commit()
            const key = `f${one.field}`
            last.set(key, (last.get(key) ?? new Set()).add(value))
            await clock.advance(10)
          } else if ('ms' in one) await clock.advance(one.ms)
          else if (one.type === 'loseReply') current.loseReplies(1)
          else if (one.type === 'pull') void pages[one.who as number]!.waymark.sync.now()
          else if (one.type === 'stopStart') {
            pages[one.who as number]!.waymark.sync.stop()
            pages[one.who as number]!.waymark.sync.start()
          } else if (one.type === 'backup') isBackingUp = false
          else if (backup !== undefined && !isBackingUp) {
            current = backup
            backup = undefined
          }
        }
        for (let i = 0; i < 6; i++) {
          await clock.advance(70_000)
          for (const { waymark } of pages) void waymark.sync.now()
        }
        await clock.advance(70_000)
        const [a, b] = sessions.map((session) => session.getSnapshot().answers)
        expect(a).toEqual(b)
        const held = current.snapshot('u1', sessions[0]!.id)
        const notes = held?.steps['notes']
        expect(typeof notes === 'string' ? JSON.parse(notes) : undefined).toEqual(a!.notes)
        for (const [field, values] of last) expect(values).toContain(a!.notes?.[field])
        for (const session of sessions) {
          expect(session.status.getSnapshot().parked).toBeUndefined()
          if (last.size > 0) expect(session.status.getSnapshot().saved.server).toBe('yes')
        }
        expect(pages.flatMap(({ errors }) => errors)).toEqual([])
        for (const { waymark } of pages) await waymark.close()
      }),
      { numRuns: 12 },
    )
  }, 60_000)
})
