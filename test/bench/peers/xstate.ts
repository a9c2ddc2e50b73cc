import { get, set } from 'idb-keyval'
import { assign, createActor, createMachine } from 'xstate'
import type { Change, Shape } from '../page/shape.ts'
import type { Subject } from '../page/subject.ts'

type Answers = Shape['answers']

/** XState's recipe: persist the whole snapshot at every transition (stately.ai/docs/persistence). */
function actorOf(answers: Answers) {
  const machine = createMachine({
    types: {} as { context: { answers: Answers }; events: { type: 'change'; change: Change } },
    context: { answers },
    on: {
      change: {
        actions: assign({
          answers: ({ context, event: { change } }) => {
            const { step, row, field, value } = change
            const rows = context.answers[step]!
            return { ...context.answers, [step]: { ...rows, [row]: { ...rows[row], [field]: value } } }
          },
        }),
      },
    },
  })
  return createActor(machine).start()
}

export const xstateLocalStorage: Subject = {
  name: 'XState + localStorage',
  acknowledges: 'sync',
  async open(name, shape) {
    const actor = actorOf(shape.answers)
    const save = () => localStorage.setItem(name, JSON.stringify(actor.getPersistedSnapshot()))
    actor.subscribe(save)
    save()
    return {
      change: (change) => actor.send({ type: 'change', change }),
      restore: async () => JSON.parse(localStorage.getItem(name) ?? 'null'),
      close() {
        actor.stop()
        localStorage.removeItem(name)
      },
    }
  },
}

export const xstateIdbKeyval: Subject = {
  name: 'XState + idb-keyval',
  acknowledges: 'durable',
  async open(name, shape) {
    const actor = actorOf(shape.answers)
    const save = () => set(name, JSON.stringify(actor.getPersistedSnapshot()))
    await save()
    return {
      async change(change) {
        actor.send({ type: 'change', change })
        await save()
      },
      restore: async () => JSON.parse((await get<string>(name)) ?? 'null'),
      close: () => void actor.stop(),
    }
  },
}
