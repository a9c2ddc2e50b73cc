/** A fault, and how many operations are still to meet it. */
export interface Failing<Fault> {
  readonly fault: Fault
  readonly left: number
}

/** What is left of it once one more operation met it. */
export function onceMore<Fault>(failing: Failing<Fault> | undefined): Failing<Fault> | undefined {
  if (failing === undefined || failing.left <= 1) return undefined
  return { ...failing, left: failing.left - 1 }
}
