import { installPeers, peersFolder } from '../run/install-peers.ts'
import { type Bundled, bundle } from './bundle.ts'

/**
 * What an app imports of each for the same job, keeping a form's answers in the browser. The first seven are those the
 * benchmark runs, imported as it does; of the others only this is measured. React is left out, as for our doors.
 */
const entries: { readonly [peer: string]: string } = {
  'XState + localStorage': `export { createActor, createMachine, assign } from 'xstate'`,
  'XState + idb-keyval': `
    export { createActor, createMachine, assign } from 'xstate'
    export { get, set } from 'idb-keyval'`,
  'zustand persist + idb-keyval': `
    export { createStore } from 'zustand/vanilla'
    export { createJSONStorage, persist } from 'zustand/middleware'
    export { del, get, set } from 'idb-keyval'`,
  Dexie: `export { Dexie } from 'dexie'`,
  'RxDB (Dexie storage)': `
    export { createRxDatabase } from 'rxdb/plugins/core'
    export { getRxStorageDexie } from 'rxdb/plugins/storage-dexie'`,
  TinyBase: `
    export { createStore } from 'tinybase'
    export { createIndexedDbPersister } from 'tinybase/persisters/persister-indexed-db'`,
  'Yjs + y-indexeddb': `
    export { Doc, Map } from 'yjs'
    export { IndexeddbPersistence } from 'y-indexeddb'`,
  'redux-persist + redux': `
    export { createStore } from 'redux'
    export { persistReducer, persistStore } from 'redux-persist'
    export { default as storage } from 'redux-persist/lib/storage'`,
  PouchDB: `export { default } from 'pouchdb-browser'`,
  'Legend-State': `
    export { observable } from '@legendapp/state'
    export { configureObservablePersistence, persistObservable } from '@legendapp/state/persist'
    export { ObservablePersistIndexedDB } from '@legendapp/state/persist-plugins/indexeddb'`,
  'TanStack offline transactions': `
    export { createCollection, localOnlyCollectionOptions } from '@tanstack/db'
    export { startOfflineExecutor } from '@tanstack/offline-transactions'`,
  Replicache: `export { Replicache } from 'replicache'`,
  'survey-core': `export { Model } from 'survey-core'`,
  Firestore: `
    export { initializeApp } from '@firebase/app'
    export {
      initializeFirestore, persistentLocalCache, persistentMultipleTabManager, doc, setDoc, onSnapshot,
    } from '@firebase/firestore'`,
}

export type PeerSizes = { readonly [peer: string]: Bundled }

/** Installs the peers where they are not, and weighs each by both bundlers. */
export async function measurePeers(): Promise<PeerSizes> {
  installPeers()
  const sizes: { [peer: string]: Bundled } = {}
  for (const [peer, entry] of Object.entries(entries)) {
    sizes[peer] = await bundle(entry, ['react', 'react-dom'], `${peersFolder}/`)
  }
  return sizes
}
