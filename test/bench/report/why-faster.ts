/** Why a peer is faster than Waymark at a work, or at one size of it, where it is; what has no reason here says so. */
const wholeText =
  'one put of the whole session as text, with no hash, no history, nothing compared and nothing merged; it grows with the session'
const wideStep =
  'one text or row of 100 KB is soon copied; in a flat step of 1,000 keys Waymark copies and compares all of them for one'
const reasons: { readonly [work: string]: { readonly [subject: string]: string } } = {
  change: {
    'XState + localStorage': 'the call returns before anything is on a disk',
    'XState + idb-keyval': wholeText,
    'zustand persist + idb-keyval': wholeText,
    Dexie: 'one row read and written, with no hash, no history and nothing merged',
    'Yjs + y-indexeddb': 'the call returns before anything is stored',
  },
  'change, 1,000 keys': {
    'XState + idb-keyval': wideStep,
    'zustand persist + idb-keyval': wideStep,
    Dexie: wideStep,
    TinyBase: wideStep,
  },
  'growth, beside peers': {
    'XState + localStorage': 'the call returns before anything is on a disk',
    'XState + idb-keyval': wholeText,
    'zustand persist + idb-keyval': wholeText,
    Dexie: 'one row read and written, with no hash, no history and nothing merged',
    'Yjs + y-indexeddb': 'the call returns before anything is stored',
  },
  open: {
    'XState + localStorage':
      'read from memory: the browser keeps all of localStorage there; nothing is verified',
    'XState + idb-keyval': 'one get of one text; nothing is verified, and there is no journal to fold',
    'zustand persist + idb-keyval':
      'one get of one text; nothing is verified, and there is no journal to fold',
    Dexie: 'reads rows as they are; nothing is verified, and there is no journal to fold',
    'RxDB (Dexie storage)':
      'reads documents as they are; nothing is verified, and there is no journal to fold',
    TinyBase: 'reads its tables as they are; nothing is verified, and there is no journal to fold',
    'Yjs + y-indexeddb': 'few updates to read as yet; nothing is verified',
  },
  'typing, main thread': {
    'XState + localStorage':
      'its text of 100 KB is made in less time than Waymark needs to patch, check and hand over a change',
    'XState + idb-keyval':
      'its text of 100 KB is made in less time than Waymark needs to patch, check and hand over a change',
    'zustand persist + idb-keyval':
      'its text of 100 KB is made in less time than Waymark needs to patch, check and hand over a change',
    Dexie: 'a read is asked for; the work follows when it is answered, and is not in this figure',
    'RxDB (Dexie storage)': 'the change is queued; the work follows later, and is not in this figure',
    TinyBase: 'the cell is set; the work of saving follows later, and is not in this figure',
    'Yjs + y-indexeddb': 'one small update, with no hash and no text of the answers',
  },
  'two writers': {
    'XState + localStorage': 'nothing is compared: the later page wins and the other loses all',
    'XState + idb-keyval': 'nothing is compared: the later page wins and the other loses all',
    'zustand persist + idb-keyval': 'nothing is compared: the later page wins and the other loses all',
  },
}

export function whyFaster({ subject, work, size }: { subject: string; work: string; size: string }): string {
  return (
    reasons[`${work}, ${size}`]?.[subject] ??
    reasons[work]?.[subject] ??
    'the reason has not been looked into'
  )
}
