import type { Patch } from '../bundle.ts'

/** A bug put into the library on purpose: whatever does not find it has a hole. */
export interface Plant extends Patch {
  /** What is wrong then, in plain words. */
  readonly name: string
  /**
   * What finds it: the simulator, or the cases of `firefox-disk.ts`, on which the simulator cannot stand, because its
   * disk lies where the patched file would be.
   */
  readonly net: 'simulator' | 'store'
  /** A seed in which it was found before: where the search begins. Default 1. */
  readonly seed?: number
  /** Other places that belong to it. */
  readonly also?: readonly Patch[]
}
