import { nestedShape } from './shape.ts'
import type { Connection, Opened, Subject } from './subject.ts'

/** (i) What `run/memory.ts` asks of the page, which measures it from outside. */
export interface MemoryPage {
  /** Stores so many sessions, each with answers of its own. */
  store(subject: string, count: number): Promise<void>
  /** As a page that loads; then they are opened and held. */
  connect(subject: string): Promise<void>
  open(count: number): Promise<void>
}

export function offerMemory(subjects: readonly Subject[]): void {
  let connection: Connection | undefined
  const held: Opened[] = []
  const find = (name: string) => subjects.find((one) => one.name === name)!
  const page: MemoryPage = {
    async store(subject, count) {
      const storing = await find(subject).connect(`memory-${subject}`)
      for (let i = 0; i < count; i++) {
        const session = await storing.open(`session${i}`, nestedShape('10 KB', 1))
        await session.close()
      }
      await storing.close()
    },
    async connect(subject) {
      connection = await find(subject).connect(`memory-${subject}`)
    },
    async open(count) {
      for (let i = 0; i < count; i++) held.push(await connection!.open(`session${i}`))
    },
  }
  Object.assign(window, { memoryPage: page })
}
