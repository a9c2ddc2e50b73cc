import { del, get, set } from 'idb-keyval'
import { createJSONStorage, persist } from 'zustand/middleware'
import { createStore } from 'zustand/vanilla'
import type { Shape } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

/** The persist middleware over an asynchronous IndexedDB storage, as its documentation shows it. */
export const zustandPersist: Subject = {
  name: 'zustand persist + idb-keyval',
  // Nothing tells when it is stored: timed to the end of the storage's own write, which an app cannot see.
  acknowledges: 'memory',
  async open(name, shape) {
    let written: Promise<void> = Promise.resolve()
    const store = createStore<{ answers: Shape['answers'] }>()(
      persist(() => ({ answers: shape.answers }), {
        name,
        storage: createJSONStorage(() => ({
          getItem: async (key) => (await get<string>(key)) ?? null,
          setItem: (key, value) => (written = set(key, value)),
          removeItem: (key) => del(key),
        })),
      }),
    )
    store.setState({ answers: shape.answers })
    await written
    return {
      async change({ step, row, field, value }) {
        const { answers } = store.getState()
        const rows = answers[step]!
        store.setState({
          answers: { ...answers, [step]: { ...rows, [row]: { ...rows[row], [field]: value } } },
        })
        await written
      },
      restore: async () => JSON.parse((await get<string>(name)) ?? 'null'),
      close() {},
    }
  },
}
