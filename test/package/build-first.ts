import type { TestProject } from 'vitest/node'
import { buildIfStale } from '../support/build-if-stale.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** What `npm run build` wrote when it failed; empty when it did not. */
    buildFailure: string
  }
}

/** Builds before the tests of the package; a build that fails is a failed test, and stops no other project. */
export function setup(project: TestProject): void {
  let failure = ''
  try {
    buildIfStale()
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error)
  }
  project.provide('buildFailure', failure)
}
