export interface Timing {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly meanMs: number
  readonly count: number
}

export function timingOf(samples: readonly number[]): Timing {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  const meanMs = sorted.reduce((sum, sample) => sum + sample, 0) / Math.max(1, sorted.length)
  return { p50Ms: at(0.5), p99Ms: at(0.99), meanMs, count: sorted.length }
}

export interface Arm {
  readonly name: string
  /** What has to be so before each run, and is not timed. */
  prepare?(round: number): Promise<unknown> | unknown
  run(round: number): Promise<unknown> | unknown
}

/**
 * Runs the arms one after another in each round, beginning with another one each time, so that whatever the machine
 * does meanwhile falls on all of them.
 */
export async function rotate(
  arms: readonly Arm[],
  options: { readonly rounds: number; readonly warmUp: number },
): Promise<Map<string, Timing>> {
  const samples = new Map(arms.map(({ name }): [string, number[]] => [name, []]))
  for (let round = 0; round < options.warmUp + options.rounds; round++) {
    for (let i = 0; i < arms.length; i++) {
      const arm = arms[(round + i) % arms.length]!
      await arm.prepare?.(round)
      const start = performance.now()
      await arm.run(round)
      const took = performance.now() - start
      if (round >= options.warmUp) samples.get(arm.name)!.push(took)
      // A task between arms: what one left to do is not counted to the next.
      await new Promise((resolve) => setTimeout(resolve))
    }
  }
  return new Map([...samples].map(([name, taken]) => [name, timingOf(taken)]))
}
