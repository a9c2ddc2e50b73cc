import type { Patch } from '../bundle.ts'

/** A bug put into the library on purpose: whatever does not find it has a hole. */
export interface Plant extends Patch {
  /** What is wrong then, in plain words. */
  readonly name: string
  /**
   * What finds it: the simulator; the cases of `store-worker.ts`, on whose disk the simulator cannot stand, because its
   * own lies where the patched file would be; or the stories of `pages-worker.ts`, to which it hardly ever comes.
   */
  readonly net: 'simulator' | 'store' | 'pages'
  /** A seed that found it: where the search begins. Default 1, which is right for what is found at once. */
  readonly seed?: number
  /** Other places that belong to it. */
  readonly also?: readonly Patch[]
}
