/** Counts up in bare IndexedDB and reports each number whose transaction completed; first what it found. */
const launch = new URLSearchParams(location.search).get('launch')
document.body.append(document.createElement('input'))

const opening = indexedDB.open('counting', 1)
opening.onupgradeneeded = () => opening.result.createObjectStore('numbers')
opening.onsuccess = () => {
  const db = opening.result
  const reading = db.transaction('numbers').objectStore('numbers').get('n')
  reading.onsuccess = async () => {
    const restored: number = reading.result ?? 0
    await report({ restored })
    count(db, restored + 1)
  }
}

function count(db: IDBDatabase, n: number): void {
  const transaction = db.transaction('numbers', 'readwrite', { durability: 'relaxed' })
  transaction.objectStore('numbers').put(n, 'n')
  transaction.oncomplete = async () => {
    await report({ n })
    setTimeout(() => count(db, n + 1), 1)
  }
}

async function report(body: object): Promise<void> {
  await fetch('/report', { method: 'POST', body: JSON.stringify({ launch, ...body }) })
}
