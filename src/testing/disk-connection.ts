import { WaymarkError } from '../base/errors.ts'
import { toStorageError } from '../store/storage-error.ts'
import type { Store } from '../store/store.ts'
import type { Dice } from './dice.ts'
import { copyOf, type Disk } from './disk.ts'
import type { Gate } from './gate.ts'
import type { Scheduler } from './scheduler.ts'

/**
 * What a browser's storage does to one operation: aborts it, has no room, loses the connection before or after the
 * commit, or answers nothing for so long that the watchdog gives up while the commit is still to come.
 */
export type StorageFault = 'abort' | 'full' | 'lost' | 'lost late' | 'hang'

export interface DiskConnection {
  readonly store: Store
  /** Operations asked for and not carried out. */
  readonly pending: number
  /** Ends it as the end of its page does: the first `survivors` of what is pending are still carried out. */
  cut(survivors: number): void
  /** Ends it as the end of its browser does: the first `survivors` are carried out at once, and nothing more. */
  end(survivors: number): void
}

const watchdogMs = 10_000

/**
 * One tab's connection. Operations take their time, one after another over all tabs, as transactions over the same stores
 * do; what one tab asks keeps its order. They meet the faults given.
 */
export function connectDisk(of: {
  readonly disk: Disk
  readonly scheduler: Scheduler
  readonly gate: Gate
  readonly dice: Dice
  /** Asked once for each operation. */
  readonly faultOf: (what: 'read' | 'write') => StorageFault | undefined
}): DiskConnection {
  const { disk, scheduler, gate, dice, faultOf } = of
  let pending: { carryOut: () => void; cancel: () => void }[] = []
  let arrivedAt = 0
  let isClosed = false

  function run<T>(what: 'read' | 'write', carryOut: () => T): Promise<T> {
    if (isClosed) return Promise.reject(new WaymarkError('closed', 'The connection was closed.'))
    if (gate.isDead) return new Promise(() => {})
    const fault = faultOf(what)
    const { promise, resolve, reject } = deferred<T>()
    const answer = (give: () => void) => gate.after(dice.between(0.02, 1), give)
    const stopWatch = gate.after(watchdogMs, () => reject(failure('TimeoutError', 'No answer in time')))
    promise.then(stopWatch, stopWatch)
    const operation = {
      carryOut() {
        pending = pending.filter((other) => other !== operation)
        if (fault === 'abort')
          return answer(() => reject(failure('AbortError', 'The transaction was aborted')))
        if (fault === 'full') return answer(() => reject(failure('QuotaExceededError', 'No room')))
        if (fault === 'lost') return answer(() => reject(connectionLost()))
        try {
          const value = carryOut()
          answer(fault === 'lost late' ? () => reject(connectionLost()) : () => resolve(value))
        } catch (error) {
          answer(() => reject(error))
        }
      },
      cancel: () => {},
    }
    pending.push(operation)
    // It arrives after what this tab asked before; then it waits its turn among all tabs.
    arrivedAt = Math.max(arrivedAt, scheduler.now + dice.between(0.02, 0.5))
    const takesMs = dice.between(0.05, 1.5) + (fault === 'hang' ? dice.between(5_000, 20_000) : 0)
    operation.cancel = scheduler.after(arrivedAt - scheduler.now, () => {
      disk.busyUntil = Math.max(disk.busyUntil, scheduler.now) + takesMs
      operation.cancel = scheduler.after(disk.busyUntil - scheduler.now, operation.carryOut)
    })
    return promise
  }

  return {
    store: {
      kind: 'indexeddb',
      generation: 0,
      write: (write) => {
        // Copied in the task of the call: the caller's objects may change before it is carried out.
        try {
          const copy = copyOf(write)
          return run('write', () => disk.commit(copy))
        } catch (error) {
          return Promise.reject(error)
        }
      },
      read: (ranges) => run('read', () => disk.read(ranges)),
      async close() {
        isClosed = true
      },
    },
    get pending() {
      return pending.length
    },
    cut(survivors) {
      for (const { cancel } of pending.splice(survivors)) cancel()
    },
    end(survivors) {
      disk.busyUntil = 0
      const all = pending
      for (const { cancel } of all) cancel()
      for (const { carryOut } of all.slice(0, survivors)) carryOut()
      pending = []
    },
  }
}

/** The disk as it is now, without waits and faults. */
export function inspect(disk: Disk): Store {
  return {
    kind: 'indexeddb',
    generation: 0,
    write: async (write) => disk.commit(write),
    read: async (ranges) => disk.read(ranges),
    close: async () => {},
  }
}

function failure(name: string, message: string): WaymarkError {
  return toStorageError(new DOMException(message, name), 'use')
}

function connectionLost(): WaymarkError {
  return failure('UnknownError', 'Connection to Indexed Database server lost. Refresh the page to try again')
}

function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}
