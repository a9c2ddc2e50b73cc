/**
 * A whole run must not pass by leaving something out: it fails when a project ran no test, and when a test was skipped
 * without saying why (`context.skip('reason')`). A run that was asked for less, by file, name or project, is let be.
 */
import type { Reporter, TestModule, TestSpecification, Vitest } from 'vitest/node'

export default class NothingSkipped implements Reporter {
  #vitest: Vitest | undefined
  #isWhole = false

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  async onTestRunStart(specifications: readonly TestSpecification[]): Promise<void> {
    const vitest = this.#vitest
    if (vitest === undefined) return
    const { project, testNamePattern } = vitest.config
    const isFiltered = testNamePattern !== undefined || (project !== undefined && project.length > 0)
    const all = await vitest.globTestSpecifications()
    this.#isWhole = !isFiltered && all.length === specifications.length
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const vitest = this.#vitest
    if (vitest === undefined || !this.#isWhole) return
    const wrong: string[] = []
    const passedByProject = new Map(vitest.projects.map((project) => [project.name, 0]))
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const result = test.result()
        const project = module.project.name
        if (result.state === 'passed') passedByProject.set(project, (passedByProject.get(project) ?? 0) + 1)
        if (result.state === 'skipped' && result.note === undefined) {
          wrong.push(`skipped without a reason: ${project} › ${module.relativeModuleId} › ${test.fullName}`)
        }
      }
    }
    for (const [project, passed] of passedByProject) {
      if (passed === 0) wrong.push(`no test passed in the project ${project}`)
    }
    if (wrong.length === 0) return
    console.error(`\nThe run is not whole:\n${wrong.map((line) => `  ${line}\n`).join('')}`)
    process.exitCode = 1
  }
}
