export interface Timing {
  readonly p50Ms: number
  readonly p99Ms: number
  /** Half of all lie between these two. */
  readonly p25Ms: number
  readonly p75Ms: number
  readonly count: number
}

export function timingOf(samples: readonly number[]): Timing {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { p50Ms: at(0.5), p99Ms: at(0.99), p25Ms: at(0.25), p75Ms: at(0.75), count: sorted.length }
}

export interface Arm {
  readonly name: string
  /** What has to be so before each run, and is not timed. */
  prepare?(round: number): Promise<unknown> | unknown
  run(round: number): Promise<unknown> | unknown
}

export interface Rounds {
  readonly rounds: number
  readonly warmUp: number
}

/** As {@link sample}, told as timings. */
export async function rotate(arms: readonly Arm[], rounds: Rounds): Promise<Map<string, Timing>> {
  const samples = await sample(arms, rounds)
  return new Map([...samples].map(([name, taken]) => [name, timingOf(taken)]))
}

/**
 * Runs the arms one after another in each round, beginning with another one each time, so that whatever the machine
 * does meanwhile falls on all of them. Returns each arm's times in ms, in the order they were taken.
 */
export async function sample(
  arms: readonly Arm[],
  { rounds, warmUp }: Rounds,
): Promise<Map<string, number[]>> {
  const samples = new Map(arms.map(({ name }): [string, number[]] => [name, []]))
  for (let round = 0; round < warmUp + rounds; round++) {
    for (let i = 0; i < arms.length; i++) {
      const arm = arms[(round + i) % arms.length]!
      await arm.prepare?.(round)
      const start = performance.now()
      await arm.run(round)
      const took = performance.now() - start
      if (round >= warmUp) samples.get(arm.name)!.push(took)
      // Time between arms: what one left to do is not counted to the next.
      await new Promise((resolve) => setTimeout(resolve))
    }
  }
  return samples
}
