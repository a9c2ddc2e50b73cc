import { currentRev, type SessionKey } from '../protocol/held.ts'
import { createMemorySessions } from '../protocol/memory-sessions.ts'
import type { ServerStore, Submission } from './store.ts'

/** A {@link ServerStore} in this process's memory, for tests and demos: gone with the process. */
export function memoryServerStore(): ServerStore {
  const sessions = createMemorySessions()
  const savedAtByKey = new Map<string, number>()
  const submissionByKey = new Map<string, SessionKey & { readonly submission: Submission }>()
  const nameOf = ({ account, session }: SessionKey) => JSON.stringify([account, session])

  return {
    load: async (key, needs) => sessions.load(key, needs),
    async write(key, { expected, push, savedAt, submission }) {
      if (!sessions.write(key, expected, push)) return false
      const name = nameOf(key)
      savedAtByKey.set(name, savedAt)
      if (submission !== undefined && !submissionByKey.has(name)) {
        submissionByKey.set(name, { ...key, submission })
      }
      return true
    },
    read: async (key, since) => sessions.read(key, since),
    async list(account, { limit, after }) {
      const page = sessions.list(account).filter((session) => session > after)
      return page.slice(0, limit).map((session) => {
        const held = sessions.read({ account, session }, null)!
        const savedAt = savedAtByKey.get(nameOf({ account, session }))!
        return { session, rev: currentRev(held), meta: held.meta, savedAt }
      })
    },
    submission: async (key) => submissionByKey.get(nameOf(key))?.submission,
    async undelivered(limit) {
      const waiting = [...submissionByKey.values()].filter(({ submission }) => !submission.isDelivered)
      return waiting.sort((a, b) => a.submission.at - b.submission.at).slice(0, limit)
    },
    async markDelivered(key) {
      const name = nameOf(key)
      const found = submissionByKey.get(name)
      if (found === undefined) return
      if (sessions.isErased(key)) submissionByKey.delete(name)
      else submissionByKey.set(name, { ...found, submission: { ...found.submission, isDelivered: true } })
    },
    async erase(key) {
      const name = nameOf(key)
      sessions.erase(key)
      savedAtByKey.delete(name)
      if (submissionByKey.get(name)?.submission.isDelivered) submissionByKey.delete(name)
    },
    isErased: async (key) => sessions.isErased(key),
  }
}
