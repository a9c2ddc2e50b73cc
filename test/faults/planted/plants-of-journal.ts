import type { Plant } from './plant.ts'

const net = 'simulator'
const journal = 'src/journal/open-journal.ts'
const batch = 'src/journal/batch.ts'

export const plantsOfJournal: readonly Plant[] = [
  {
    name: 'acknowledges a change before its transaction is complete',
    ...{ net, file: journal },
    find: `const outcome = await store.write(batch.write)`,
    replace: `mark({ acknowledged: batch.covers }); const outcome = await store.write(batch.write)`,
  },
  {
    name: 'calls a relaxed write strict',
    ...{ net, file: journal },
    find: `strict: done.write.durability === 'strict' ? acknowledged : marks.strict`,
    replace: `strict: acknowledged`,
  },
  {
    name: 'goes on with the writer that is stored, whose last entries a power cut may have taken',
    seed: 13,
    ...{ net, file: journal },
    find: `let writer = isNumberUnknown ? createId(options.random) : options.writer`,
    replace: `let writer = Object.keys(restored.heads).find((one) => !one.endsWith('~')) ?? options.writer`,
  },
  {
    name: 'drops typing as seen whose number another entry took',
    seed: 97,
    ...{ net, file: journal },
    find: `const renumbered = () => (typing.length > 0 ? [batches.draftRow(trunk, local, typing, 1)] : [])`,
    replace: `const renumbered = () => (typing.length < 0 ? [batches.draftRow(trunk, local, typing, 1)] : [])`,
  },
  {
    name: 'makes an entry anew for a retry, and takes its own for a stranger',
    seed: 16,
    ...{ net, file: journal },
    find: `if (batch === undefined || batch.record !== undefined) return
    local.putBack`,
    replace: `if (batch === undefined) return
    local.putBack`,
  },
  {
    name: 'does not know its own entry where the reply was lost',
    seed: 32,
    ...{ net, file: journal },
    find: `if (batch?.record !== undefined && foreign[0]?.hash === batch.record.h) {`,
    replace: `if (batch?.record !== undefined && foreign[0]?.hash === batch.record.h && batch.stamp < 0) {`,
  },
  {
    name: 'appends over entries it has not read',
    ...{ net, file: journal },
    find: `else await yieldTo(batch)`,
    replace: `else {
          trunk = { ...trunk, position: trunk.position + 1 }
          local.putBack(batch.items, batch.hasTyping)
          batch = undefined
        }`,
  },
  {
    name: 'adopts a draft and leaves it there, to be adopted again',
    seed: 4,
    ...{ net, file: batch },
    find: `remove: [{ store: 'drafts', prefix: draft.key }],`,
    replace: `remove: [],`,
  },
  {
    name: 'leaves a draft behind when it becomes an entry',
    ...{ net, file: batch },
    find: `} else if (hasDraftRow && typing.length === 0) remove.push(draftRange(session, writer))`,
    replace: `}`,
  },
  {
    name: 'lists a session before anything of it is stored',
    seed: 4,
    ...{ net, file: journal },
    find: `const outcome = await store.write(batch.write)`,
    replace: `const heads = (batch.write.put ?? []).filter((row) => row.store === 'heads')
        if (heads.length > 0) await store.write({ durability: 'relaxed', put: heads })
        const outcome = await store.write(batch.write)`,
  },
  {
    name: 'writes a checkpoint that is ahead of the journal',
    net,
    file: 'src/journal/checkpoints.ts',
    find: `take = () => writer.take(state, position, heads, at)`,
    replace: `take = () => writer.take(state, position + 1, heads, at)`,
  },
  {
    name: 'begins anew where something stored does not verify',
    seed: 11,
    net,
    file: 'src/journal/restore.ts',
    find: `state: isStored ? state : undefined,
    heads,`,
    replace: `state: isStored && tail.damage.length === 0 ? state : undefined,
    heads,`,
  },
  {
    name: 'sets aside what it could not read without its bytes',
    seed: 5,
    ...{ net, file: journal },
    find: `place, reason, at: clock.now(), row }`,
    replace: `place, reason, at: clock.now(), row: null }`,
  },
  {
    name: 'skips the first entry after a checkpoint',
    net,
    file: 'src/journal/restore.ts',
    find: `(from?.manifest.position ?? -1) + 1)
  const`,
    replace: `(from?.manifest.position ?? -2) + 2)
  const`,
  },
  {
    name: 'links an entry to nothing',
    net,
    file: 'src/record/entry.ts',
    find: `prev: options.after.hash,`,
    replace: `prev: options.after.n === 2 ? '' : options.after.hash,`,
  },
]
