import type { Subject } from '../page/subject.ts'
import { dexie } from './dexie.ts'
import { rxdb } from './rxdb.ts'
import { tinybase } from './tinybase.ts'
import { xstateIdbKeyval, xstateLocalStorage } from './xstate.ts'
import { yjs } from './yjs.ts'
import { zustandPersist } from './zustand.ts'

export const peers: readonly Subject[] = [
  xstateLocalStorage,
  xstateIdbKeyval,
  zustandPersist,
  dexie,
  rxdb,
  tinybase,
  yjs,
]
