/**
 * What each subject does when it says "saved", as its documentation and source have it; read again in November 2026.
 * Peers write with the durability their library asks for, which is the engine's default in all of them; Waymark and the
 * floor beside it ask for `relaxed`.
 */
interface SubjectNote {
  /** What the app does, and what it waits for. */
  readonly saved: string
  /** Where that is not that a killed page finds the answer. */
  readonly caveat?: string
  /** Of two pages that have the session open. */
  readonly writers?: string
}

export const subjectNotes: { readonly [subject: string]: SubjectNote } = {
  Waymark: {
    saved: '`saved("device")`: the entry\'s transaction completed, relaxed durability',
  },
  'XState + localStorage': {
    saved: '`setItem` of the whole persisted snapshot returned (stately.ai/docs/persistence)',
    caveat: 'not durable: the browser writes it some seconds later, and one that is killed before loses it',
    writers: 'each page writes its whole snapshot over the other',
  },
  'XState + idb-keyval': {
    saved: "idb-keyval's `set` of the whole persisted snapshot as JSON: its transaction completed",
    writers: 'each page writes its whole snapshot over the other',
  },
  'zustand persist + idb-keyval': {
    saved: "`setState` resolves as the storage's `set` of the whole state does: its transaction completed",
    caveat: 'told by the returned promise of `setState`, which its documentation does not mention',
    writers: 'each page writes its whole state over the other',
  },
  Dexie: {
    saved: "`update` of one key path of a step's row: its transaction completed",
  },
  'RxDB (Dexie storage)': {
    saved: '`incrementalModify` of the document of a step: stored, and every listener told',
  },
  TinyBase: {
    saved: '`persister.save()`: a transaction with every table completed',
    writers: 'each page writes its whole store over the other; its persister has no other way but polling',
  },
  'Yjs + y-indexeddb': {
    saved: 'the call returned; the provider then stores the update, and tells nobody',
    caveat: 'cannot tell when it is stored: timed to the return of the call',
  },
}

/** What to know of a figure of that subject at that work. */
export function noteOf(subject: string, work: string): string | undefined {
  const note = subjectNotes[subject]
  if (work === 'two writers') return note?.writers ?? note?.caveat
  if (work === 'open' || work === 'memory' || work === 'written') return undefined
  return note?.caveat
}
