import type { Plant } from './plant.ts'

const net = 'pages'

export const plantsOfPages: readonly Plant[] = [
  {
    name: 'lets a tab of the old version write over a newer flow',
    ...{ net, file: 'src/client/account-sessions.ts' },
    find: `const isNewer = stored !== undefined && stored.flow.version > flow.version`,
    replace: `const isNewer = false`,
  },
  {
    name: 'brings back what was erased everywhere',
    ...{ net, file: 'src/backends/memory-backend.ts' },
    find: `if (sessions.isErased(key)) return { type: 'denied', session, reason: 'erased' }`,
    replace: ``,
    also: [
      {
        file: 'src/protocol/memory-sessions.ts',
        find: `if (erased.has(nameOf(key))) return false`,
        replace: ``,
      },
    ],
  },
]
