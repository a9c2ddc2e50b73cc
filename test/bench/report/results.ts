import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Budget } from './budgets.ts'
import type { Row } from './rows.ts'

/** What the last whole run printed: README's figures are these and no others. */
export interface Results {
  readonly date: string
  readonly machine: { readonly cores: number; readonly node: string }
  readonly engines: { readonly [engine: string]: string }
  readonly peers: { readonly [name: string]: string }
  /** What could not be measured, in words. */
  readonly failures: readonly string[]
  readonly rows: readonly Row[]
  readonly budgets: readonly Budget[]
  /** The kills are a run of their own. */
  readonly losses?: { readonly date: string; readonly rows: readonly Row[] }
}

export const resultsFile = fileURLToPath(new URL('../results.json', import.meta.url))
export const plotsFolder = fileURLToPath(new URL('../plots/', import.meta.url))

export function readResults(): Results | undefined {
  return existsSync(resultsFile) ? (JSON.parse(readFileSync(resultsFile, 'utf8')) as Results) : undefined
}
