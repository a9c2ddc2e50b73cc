/** `hostStore()` and all it takes as one classic script; the build puts its text here (vite.config.ts). */
declare const WAYMARK_HOST_SCRIPT: string

/**
 * Makes workers for `openWorkerStore` without a worker file: from a Blob, so the page's Content Security Policy needs
 * `worker-src blob:`. Where that is refused the page's own store takes over.
 *
 * @example
 * const store = openWorkerStore({ worker: inlineWorker() })
 */
export function inlineWorker(): () => Worker {
  let url: string | undefined
  return () => {
    // Kept as long as the page: a worker that died is made again from it.
    url ??= URL.createObjectURL(new Blob([WAYMARK_HOST_SCRIPT], { type: 'text/javascript' }))
    return new Worker(url, { name: 'waymark' })
  }
}
