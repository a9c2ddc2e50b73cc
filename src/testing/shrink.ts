import { runSeed, type SeedOptions, type SeedRun } from './run-seed.ts'

/** Runs at most, of all the attempts to find a shorter story. */
const mostRuns = 200

/**
 * The shortest story found in which a failed seed breaks the same rule: operations are left out in pieces, ever smaller
 * ones, as long as it still fails (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002).
 */
export async function shrink(options: SeedOptions, failed: SeedRun): Promise<SeedRun> {
  const rules = new Set(failed.violations.map(ruleOf))
  let shortest = failed
  let runs = 0
  for (let size = Math.ceil(failed.operations.length / 2); size >= 1; ) {
    let isShorter = false
    for (let from = 0; from < shortest.operations.length && runs < mostRuns; ) {
      const kept = shortest.operations.filter((_, i) => i < from || i >= from + size)
      runs += 1
      const run = await runSeed(options, new Set(kept.map(({ id }) => id)))
      if (run.violations.some((violation) => rules.has(ruleOf(violation)))) {
        shortest = run
        isShorter = true
      } else from += size
    }
    if (runs >= mostRuns) break
    if (size > 1) size = Math.ceil(size / 2)
    else if (!isShorter) break
  }
  return shortest
}

/** The word a violation begins with. */
function ruleOf(violation: string): string {
  return violation.slice(0, violation.indexOf(':'))
}
