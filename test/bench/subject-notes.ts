/** What to know of a subject's figures; the page's `acknowledges` says the same in one word. */
export const subjects: { readonly [subject: string]: string } = {
  'XState + localStorage': 'not durable: a killed browser loses the last half second to second of it',
  'zustand persist + idb-keyval': 'tells nobody when it is stored: timed to the end of its own write',
  'Yjs + y-indexeddb': 'tells nobody when it is stored: timed to the return of the call',
}
