/**
 * `npm run faults`: the simulator, or with `--browsers` whole browsers that are killed. Each part reads the other flags
 * itself: `simulation.ts`, `browser-kills.ts`.
 */
import { browserKills } from './browser-kills.ts'
import { simulation } from './simulation.ts'

const args = process.argv.slice(2)
await (args.includes('--browsers') ? browserKills(args) : simulation(args))
