/** A few words kept by the browser, for convenience only: without them everything works. */
export interface Memory {
  get(name: string): string | undefined
  set(name: string, value: string | undefined): void
}

/** `tab` is forgotten with the tab and outlives a reload, `device` stays. */
export function memoryOf(place: 'tab' | 'device'): Memory {
  const storage = () => (place === 'tab' ? sessionStorage : localStorage)
  const keyOf = (name: string) => `waymark-demo:${name}`
  return {
    get(name) {
      try {
        return storage().getItem(keyOf(name)) ?? undefined
      } catch {
        return undefined // storage is switched off
      }
    },
    set(name, value) {
      try {
        if (value === undefined) storage().removeItem(keyOf(name))
        else storage().setItem(keyOf(name), value)
      } catch {
        // storage is switched off
      }
    },
  }
}
