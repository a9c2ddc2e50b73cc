import { runPage } from '../page/run-page.ts'

await runPage(async () => (await import('./all.ts')).peers)
