import { memoryBackend } from '../backends/memory-backend.ts'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/ids.ts'
import type { Backend } from '../protocol/backend.ts'
import type { PushItem } from '../protocol/wire.ts'

/** The server of a simulation. */
export interface SimServer extends Backend {
  /** The pushes it accepted and holds. */
  readonly held: readonly PushItem[]
  /** Goes back to the first `kept` of them, as a restore from a backup does. */
  restore(kept: number): Promise<void>
}

interface Accepted {
  readonly account: string
  readonly item: PushItem
  /** What its rev was made of: restored, it has the same. */
  readonly bytes: readonly Uint8Array[]
}

/** The rules of the real server, over memory, with a backup of every moment. */
export function createSimServer(options: { readonly clock: Clock; readonly random: Random }): SimServer {
  const { clock } = options
  let accepted: Accepted[] = []
  let drawn: Uint8Array[] = []
  let given: Uint8Array[] = []
  const random: Random = (length) => {
    const bytes = given.shift() ?? options.random(length)
    drawn.push(bytes)
    return bytes
  }
  let inner = memoryBackend({ clock, random })
  const { signal } = new AbortController()

  return {
    async exchange(items, { account }) {
      const outcomes = []
      for (const item of items) {
        drawn = []
        const outcome = await inner.exchange([item], { account, signal })
        if (outcome.type !== 'answered') return outcome
        outcomes.push(...outcome.outcomes)
        const isNew = outcome.outcomes[0]?.type === 'accepted' && drawn.length > 0
        if (isNew && item.type === 'push') accepted.push({ account, item, bytes: drawn })
      }
      return { type: 'answered', outcomes, serverNow: clock.now() }
    },
    get held() {
      return accepted.map(({ item }) => item)
    },
    async restore(kept) {
      accepted = accepted.slice(0, kept)
      inner = memoryBackend({ clock, random })
      for (const { account, item, bytes } of accepted) {
        given = [...bytes]
        await inner.exchange([item], { account, signal })
      }
    },
  }
}
