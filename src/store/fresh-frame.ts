/**
 * WebKit never opens a database again in a document whose storage process died ("Connection to Indexed Database server
 * lost"); a fresh frame of the same origin does (measured on WebKitGTK 2.50). The frame stays in the document: what it
 * opened ends with it.
 */
const frameByDatabase = new Map<string, HTMLIFrameElement>()

/** True for the error of a document that will never open a database again. */
export function isServerLost(error: unknown): boolean {
  const { message = '' } = (error ?? {}) as Partial<DOMException>
  return message.includes('Connection to Indexed Database server lost')
}

/** Opens the database in a new frame, at the version it has. Throws where there is no document to put one in. */
export function openInFreshFrame(
  name: string,
  events: {
    readonly onUpgrade: (database: IDBDatabase, oldVersion: number) => void
    /** Another connection wants to change or delete the database. */
    readonly onBlocking: (database: IDBDatabase) => void
    readonly onLost: (database: IDBDatabase) => void
  },
): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    frameByDatabase.get(name)?.remove()
    const frame = document.createElement('iframe')
    frameByDatabase.set(name, frame)
    frame.hidden = true
    document.documentElement.append(frame)
    const request = (frame.contentWindow as (Window & typeof globalThis) | null)!.indexedDB.open(name)
    request.onupgradeneeded = ({ oldVersion }) => events.onUpgrade(request.result, oldVersion)
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const database = request.result
      database.onversionchange = () => events.onBlocking(database)
      database.onclose = () => events.onLost(database)
      resolve(database)
    }
  })
}
