import 'fake-indexeddb/auto'
import { describe, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { openIdbStore } from '../../src/store/idb-store.ts'
import { storeCases } from '../../src/testing/store-cases.ts'

describe('openIdbStore over fake-indexeddb', () => {
  storeCases.forEach(({ name, run }, i) => {
    test(name, () => run(() => openIdbStore({ name: `cases-${i}`, clock: systemClock })))
  })
})
