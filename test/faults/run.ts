/** `npm run faults`: which of the parts runs, by the flag that names it; each part reads the other flags itself. */
import { browserKills } from './browser-kills.ts'

await browserKills(process.argv.slice(2))
