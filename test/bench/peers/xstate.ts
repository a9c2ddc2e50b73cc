import { get, set } from 'idb-keyval'
import { assign, createActor, createMachine, type Snapshot } from 'xstate'
import type { Answers, Change } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

/** XState's recipe: the whole snapshot is persisted at every transition (stately.ai/docs/persistence). */
const machine = createMachine({
  types: {} as {
    context: { answers: Answers }
    events: { type: 'change'; change: Change } | { type: 'begin'; answers: Answers }
  },
  context: { answers: {} },
  on: {
    begin: { actions: assign({ answers: ({ event }) => event.answers }) },
    change: {
      actions: assign({
        answers: ({ context, event: { change } }) => {
          const { step, row, field, value } = change
          const rows = context.answers[step]
          return { ...context.answers, [step]: { ...rows, [row]: { ...rows?.[row], [field]: value } } }
        },
      }),
    },
  },
})

function start(stored: string | null | undefined) {
  const snapshot = stored == null ? undefined : (JSON.parse(stored) as Snapshot<unknown>)
  return createActor(machine, snapshot && { snapshot }).start()
}

function answersIn(stored: string | null | undefined): Answers {
  return JSON.parse(stored ?? 'null')?.context.answers ?? {}
}

export const xstateLocalStorage: Subject = {
  name: 'XState + localStorage',
  acknowledges: 'sync',
  async connect(database) {
    return {
      async open(key, shape) {
        const name = `${database}/${key}`
        const actor = start(localStorage.getItem(name))
        actor.subscribe(() => localStorage.setItem(name, JSON.stringify(actor.getPersistedSnapshot())))
        if (shape !== undefined) actor.send({ type: 'begin', answers: shape.answers })
        return {
          change: (change) => actor.send({ type: 'change', change }),
          restore: async () => answersIn(localStorage.getItem(name)),
          close: () => void actor.stop(),
        }
      },
      close() {},
    }
  },
}

export const xstateIdbKeyval: Subject = {
  name: 'XState + idb-keyval',
  acknowledges: 'durable',
  async connect(database) {
    return {
      async open(key, shape) {
        const name = `${database}/${key}`
        const actor = start(await get<string>(name))
        const save = () => set(name, JSON.stringify(actor.getPersistedSnapshot()))
        if (shape !== undefined) {
          actor.send({ type: 'begin', answers: shape.answers })
          await save()
        }
        return {
          change(change) {
            actor.send({ type: 'change', change })
            return save()
          },
          restore: async () => answersIn(await get<string>(name)),
          close: () => void actor.stop(),
        }
      },
      close() {},
    }
  },
}
