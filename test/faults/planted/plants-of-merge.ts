import type { Plant } from './plant.ts'

const net = 'simulator'
const states = 'src/merge/merge-states.ts'
const value = 'src/merge/merge-value.ts'

export const plantsOfMerge: readonly Plant[] = [
  {
    name: 'drops the side that lost a conflict',
    ...{ net, file: value },
    find: `  losers.push({
    ...{ step, path`,
    replace: `  if (kind !== undefined) losers.push({
    ...{ step, path`,
  },
  {
    name: 'drops what was entered after the end',
    seed: 45,
    ...{ net, file: states },
    find: `lose({ ...options, step, losers }, '', value, stampOf, 'late')`,
    replace: `if (value === null) lose({ ...options, step, losers }, '', value, stampOf, 'late')`,
  },
  {
    name: 'lets an end be overruled',
    seed: 37,
    ...{ net, file: states },
    find: `const ended = pickEnded(options)`,
    replace: `const ended = pickEnded({ ...options, ours: { ...ours, status: 'running' }, theirs: { ...theirs, status: 'running' } })`,
  },
  {
    name: 'drops the items of a list that only one side added',
    ...{ net, file: value },
    find: `for (const key of new Set([...their.keys(), ...our.keys()])) {`,
    replace: `for (const key of their.keys()) {`,
  },
  {
    name: 'takes the items of a list whole from one side',
    ...{ net, file: value },
    find: `const item = mergeValue(place, at, was.get(key), our.get(key), their.get(key), true)`,
    replace: `const item = their.get(key) ?? mergeValue(place, at, was.get(key), our.get(key), undefined, true)`,
  },
  {
    name: 'takes the older of two answers for the later, without keeping the other',
    ...{ net, file: value },
    find: `lose(place, path, isOurs ? theirs : ours, isOurs ? theirStamp : ourStamp, kind)`,
    replace: `lose(place, path, isOurs ? ours : theirs, isOurs ? ourStamp : theirStamp, kind)`,
  },
  {
    name: 'counts steps of a branch that was left',
    seed: 84,
    net,
    file: 'src/flow/progress.ts',
    find: `const done = steps.filter((step) => Object.hasOwn(state.finished, step)).length`,
    replace: `const done = Object.keys(state.finished).length`,
  },
  {
    name: 'is complete when the last step is finished, sent or not',
    seed: 93,
    net,
    file: 'src/session/create-session.ts',
    find: `if (state.status !== 'done' || sync === undefined || status.saved.server === 'yes') return shown`,
    replace: `if (now.position >= -1) return shown`,
  },
]
