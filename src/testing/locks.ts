import type { Locks } from '../client/turns.ts'
import type { Gate } from './gate.ts'

/** The Web Locks of one device: exclusive ones, first come, first served. */
export interface LockRoom {
  /** As one page asks for them. */
  locksOf(gate: Gate): Locks
  /** Takes what pages that are gone held or waited for. */
  sweep(): void
}

interface Claim {
  readonly name: string
  readonly gate: Gate
  grant(): void
  refuse(): void
}

export function createLockRoom(): LockRoom {
  const holderByName = new Map<string, Claim>()
  let waiting: Claim[] = []

  function serve(): void {
    waiting = waiting.filter(({ gate }) => !gate.isDead)
    for (const [name, { gate }] of holderByName) if (gate.isDead) holderByName.delete(name)
    for (const claim of [...waiting]) {
      if (holderByName.has(claim.name)) continue
      waiting = waiting.filter((other) => other !== claim)
      take(claim)
    }
  }

  function take(claim: Claim): void {
    holderByName.set(claim.name, claim)
    claim.gate.after(0, claim.grant)
  }

  function leave(claim: Claim): void {
    if (holderByName.get(claim.name) === claim) holderByName.delete(claim.name)
    waiting = waiting.filter((other) => other !== claim)
    serve()
  }

  return {
    locksOf(gate) {
      const request = (name: string, options: LockOptions, run: (lock: null) => Promise<unknown>) =>
        new Promise((resolve, reject) => {
          const claim: Claim = {
            ...{ name, gate },
            grant() {
              const work = run(null)
              work.then(resolve, reject)
              work.then(
                () => leave(claim),
                () => leave(claim),
              )
            },
            refuse: () => reject(new DOMException('The lock was refused', 'AbortError')),
          }
          const holder = holderByName.get(name)
          if (options.steal === true) {
            holder?.gate.after(0, holder.refuse)
            return take(claim)
          }
          waiting.push(claim)
          options.signal?.addEventListener('abort', () => {
            if (!waiting.includes(claim)) return
            leave(claim)
            gate.after(0, claim.refuse)
          })
          serve()
        })
      return { request: request as Locks['request'] }
    },
    sweep: serve,
  }
}
