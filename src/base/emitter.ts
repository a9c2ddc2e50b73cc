/** Calls every listener even if one throws; what they threw surfaces as an uncaught error, in a task of its own. */
export interface Emitter<T> {
  emit(value: T): void
  /** The returned function removes the listener. */
  on(listener: (value: T) => void): () => void
  readonly size: number
}

export function createEmitter<T>(): Emitter<T> {
  const listeners = new Set<(value: T) => void>()
  return {
    emit(value) {
      for (const listener of [...listeners]) {
        try {
          listener(value)
        } catch (error) {
          reportUncaught(error)
        }
      }
    },
    on(listener) {
      const own = (value: T) => listener(value)
      listeners.add(own)
      return () => listeners.delete(own)
    },
    get size() {
      return listeners.size
    },
  }
}

/** Hands an error nobody listens for to the environment's own reporting. */
export function reportUncaught(error: unknown): void {
  setTimeout(() => {
    throw error
  })
}
