import { runWork } from '../page/run-work.ts'

await runWork(async () => (await import('./all.ts')).peers)
