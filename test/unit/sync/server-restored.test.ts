import { describe, expect, test } from 'vitest'
import { type MemoryBackend, memoryBackend } from '../../../src/backends/memory-backend.ts'
import type { Backend } from '../../../src/protocol/backend.ts'
import { createFakeClock } from '../../support/fake-clock.ts'
import { device, synced } from './device.ts'

/** A server with a backup that is kept until `endBackup`, and can take its place. */
function createRestorable() {
  const old = memoryBackend()
  const backup = memoryBackend()
  let current = old
  let isBackingUp = true
  const backend: Backend = {
    async exchange(...call) {
      if (isBackingUp) await backup.exchange(...call)
      return current.exchange(...call)
    },
  }
  return {
    backend,
    endBackup() {
      isBackingUp = false
    },
    restore(from: MemoryBackend = backup) {
      isBackingUp = false
      current = from
      return from
    },
  }
}

describe('a server restored from a backup', () => {
  test('never takes a newer answer back, says so, and gets it again', async () => {
    const clock = createFakeClock()
    const server = createRestorable()
    const { waymark } = device({ clock, backend: server.backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { t: 'before' })
    session.commit()
    await clock.advance(5_000)
    server.endBackup()
    session.set('notes', { t: 'after' })
    session.commit()
    await clock.advance(5_000)
    expect(session.status.getSnapshot().saved).toEqual(synced)
    const restored = server.restore()
    const shown: string[] = []
    session.status.subscribe(() => shown.push(session.status.getSnapshot().saved.server))
    void waymark.sync.now()
    await clock.advance(60_000)
    expect(shown).toContain('pending')
    expect(session.getSnapshot().answers.notes).toEqual({ t: 'after' })
    expect(session.conflicts).toEqual([])
    expect(session.status.getSnapshot().saved).toEqual(synced)
    expect(restored.snapshot('u1', session.id)?.steps).toMatchObject({ notes: '{"t":"after"}' })
  })

  test('gets back what a device only ever pulled', async () => {
    const clock = createFakeClock()
    const server = createRestorable()
    const a = await device({ clock, backend: server.backend }).waymark.open('mortgage')
    a.set('notes', { t: 'before' })
    a.commit()
    await clock.advance(5_000)
    server.endBackup()
    a.set('notes', { t: 'after' })
    a.commit()
    await clock.advance(5_000)
    const other = device({ clock, backend: server.backend }).waymark
    const b = await other.open('mortgage')
    await clock.advance(5_000)
    expect(b.getSnapshot().answers.notes).toEqual({ t: 'after' })
    await a.close()
    const restored = server.restore()
    void other.sync.now()
    await clock.advance(60_000)
    expect(b.getSnapshot().answers.notes).toEqual({ t: 'after' })
    expect(b.status.getSnapshot().saved).toEqual(synced)
    expect(restored.snapshot('u1', b.id)?.steps).toMatchObject({ notes: '{"t":"after"}' })
  })
})

describe('a server that holds nothing any more', () => {
  test('is given everything again once it is asked', async () => {
    const clock = createFakeClock()
    const server = createRestorable()
    const { waymark } = device({ clock, backend: server.backend })
    const session = await waymark.open('mortgage')
    session.set('notes', { t: 'a' })
    session.commit()
    await clock.advance(5_000)
    const empty = server.restore(memoryBackend())
    void waymark.sync.now()
    await clock.advance(60_000)
    expect(session.status.getSnapshot().saved).toEqual(synced)
    expect(empty.snapshot('u1', session.id)?.steps).toEqual({ notes: '{"t":"a"}' })
  })

  test('is given everything also by a device that only ever pulled', async () => {
    const clock = createFakeClock()
    const server = createRestorable()
    const a = await device({ clock, backend: server.backend }).waymark.open('mortgage')
    a.set('notes', { t: 'a' })
    a.commit()
    await clock.advance(5_000)
    const other = device({ clock, backend: server.backend }).waymark
    const b = await other.open('mortgage')
    await clock.advance(5_000)
    await a.close()
    const empty = server.restore(memoryBackend())
    void other.sync.now()
    await clock.advance(60_000)
    expect(b.status.getSnapshot().saved).toEqual(synced)
    expect(empty.snapshot('u1', b.id)?.steps).toEqual({ notes: '{"t":"a"}' })
  })
})
