import type { Plant } from './plant.ts'

const net = 'simulator'
const exchange = 'src/sync/exchange.ts'
const outbox = 'src/sync/outbox.ts'
const batch = 'src/journal/batch.ts'

export const plantsOfSync: readonly Plant[] = [
  {
    name: 'takes a push for accepted whose reply was lost',
    ...{ net, file: exchange },
    find: `if (outcome.type === 'unreachable') return { ...outcome, fraction: randomFraction(random) }`,
    replace: `if (outcome.type === 'unreachable') {
      for (const { sent, journal } of outgoing) marks.set(journal.session, { position: sent.upTo })
      return { ...outcome, fraction: randomFraction(random) }
    }`,
  },
  {
    name: 'drops what the server refused',
    ...{ net, file: exchange },
    find: `marks.set(session, { parked })
  }`,
    replace: `await acknowledge(bases, session, sent, sent.base.rev ?? '')
    marks.set(session, { position: sent.upTo })
  }`,
  },
  {
    name: 'comes back before the server said',
    net,
    file: 'src/sync/sync-machine.ts',
    find: `return Math.max(retryAfterMs, Math.round(fraction * Math.min(longestWaitMs, firstWaitMs * 2 ** failures)))`,
    replace: `return Math.max(0 * retryAfterMs, Math.round(fraction * Math.min(longestWaitMs, firstWaitMs * 2 ** failures)))`,
  },
  {
    name: 'takes what other devices did as it is',
    ...{ net, file: batch },
    find: `trunk.position < 0
          ? { state`,
    replace: `trunk.position < 9e9
          ? { state`,
  },
  {
    name: 'moves the base of the next merge past what was never sent',
    ...{ net, file: outbox },
    find: `position: isAll ? merged : (through ?? base.position),`,
    replace: `position: merged,`,
  },
  {
    name: 'sends what another account left on the device',
    seed: 3,
    ...{ net, file: 'src/sync/find-unsent.ts' },
    find: `[{ store: 'heads', prefix: [account], isKeys: true }]`,
    replace: `[{ store: 'heads', prefix: [], isKeys: true }]`,
    also: [
      {
        file: 'src/client/head-list.ts',
        find: `const head = (await readAll(account)).heads.find(`,
        replace: `const head = [...(await readAll(account)).heads, ...(await readAll('')).heads].find(`,
      },
    ],
  },
  {
    name: 'gives two accounts one session',
    seed: 4,
    net,
    file: 'src/client/head-list.ts',
    find: `JSON.stringify([account, flow, key, n])`,
    replace: `JSON.stringify([flow, key, n])`,
  },
  {
    name: 'sends merges that tell the server nothing',
    seed: 15,
    ...{ net, file: batch },
    find: `chain: theirs.isFastForward ? writer + localSuffix : writer,`,
    replace: `chain: writer,`,
  },
  {
    name: 'says the server has what is a draft here',
    net,
    file: 'src/session/session-status.ts',
    find: `    acknowledged === made &&
    journal.isSettled &&
    !journal.hasForeignDrafts &&`,
    replace: `    acknowledged === made &&`,
  },
  {
    name: 'does not notice that the server lost what it had acknowledged',
    seed: 91,
    ...{ net, file: outbox },
    find: `if (isBehind(snapshot.heads, base.heads)) return 'behind'`,
    replace: `if (isBehind(snapshot.heads, {})) return 'behind'`,
  },
  {
    name: 'accepts a push over what its device has not seen',
    net,
    file: 'src/protocol/apply-push.ts',
    find: `if (held !== undefined && item.base !== currentRev(held)) return { type: 'stale' }
  const fault`,
    replace: `const fault`,
  },
  {
    name: 'answers a push it holds with the rev of now',
    seed: 71,
    net,
    file: 'src/protocol/apply-push.ts',
    find: `return isPart ? { type: 'stale' } : { type: 'held', rev: heldRev }`,
    replace: `return { type: 'held', rev: held === undefined ? heldRev : currentRev(held) }`,
  },
]
