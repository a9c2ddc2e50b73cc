import { findEngine } from './browsers.ts'
import { openDisplay } from './display.ts'

/** One virtual display for all workers of a project that launches browsers; Vitest's workers inherit the variable. */
export async function setup(): Promise<void> {
  if (findEngine('webkit')?.source === 'system') process.env['DISPLAY'] = await openDisplay()
}
