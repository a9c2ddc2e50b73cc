import { describe, test } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { diceOf } from '../../src/testing/dice.ts'
import { createDisk } from '../../src/testing/disk.ts'
import { connectDisk } from '../../src/testing/disk-connection.ts'
import { faultyStore } from '../../src/testing/faulty-store.ts'
import { createGate } from '../../src/testing/gate.ts'
import { createScheduler } from '../../src/testing/scheduler.ts'
import { storeCases } from '../../src/testing/store-cases.ts'

describe('faultyStore that was told nothing', () => {
  for (const { name, run } of storeCases) {
    test(name, async () => {
      // All pages share one, and the last to close it closes it.
      const shared = faultyStore()
      const tabs = new Set<Store>()
      await run(async () => {
        const tab: Store = {
          ...shared,
          close: async () => {
            tabs.delete(tab)
            if (tabs.size === 0) await shared.close()
          },
        }
        tabs.add(tab)
        return tab
      })
    })
  }
})

describe('the disk of the simulator', () => {
  for (const { name, run } of storeCases) {
    test(name, async () => {
      const [scheduler, disk] = [createScheduler(), createDisk()]
      const gate = createGate(scheduler, (error) => {
        throw error
      })
      let connections = 0
      let isOver = false
      const running = run(async () => {
        const dice = diceOf(1, connections++)
        return connectDisk({ disk, scheduler, gate, dice, faultOf: () => undefined }).store
      }).finally(() => {
        isOver = true
      })
      while (!isOver) await scheduler.advance(1)
      await running
    })
  }
})
