import { del, get, set } from 'idb-keyval'
import { createJSONStorage, persist } from 'zustand/middleware'
import { createStore } from 'zustand/vanilla'
import type { Answers } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

/**
 * The persist middleware over an asynchronous IndexedDB storage, as its documentation shows it. Since version 5
 * `setState` returns what the storage's `setItem` did; the documentation does not say so, and an app's own actions
 * hide it.
 */
export const zustandPersist: Subject = {
  name: 'zustand persist + idb-keyval',
  acknowledges: 'durable',
  async connect(database) {
    return {
      async open(key, shape) {
        const name = `${database}/${key}`
        const store = createStore<{ answers: Answers }>()(
          persist(() => ({ answers: {} as Answers }), {
            name,
            storage: createJSONStorage(() => ({
              getItem: async (item) => (await get<string>(item)) ?? null,
              setItem: (item, value) => set(item, value),
              removeItem: (item) => del(item),
            })),
          }),
        )
        if (!store.persist.hasHydrated()) {
          await new Promise<void>((resolve) => void store.persist.onFinishHydration(() => resolve()))
        }
        if (shape !== undefined) await store.setState({ answers: shape.answers })
        return {
          async change({ step, row, field, value }) {
            const { answers } = store.getState()
            const rows = answers[step]
            await store.setState({
              answers: { ...answers, [step]: { ...rows, [row]: { ...rows?.[row], [field]: value } } },
            })
          },
          restore: async () => JSON.parse((await get<string>(name)) ?? 'null')?.state.answers ?? {},
          close() {},
        }
      },
      close() {},
    }
  },
}
