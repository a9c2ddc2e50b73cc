/** The script `inlineWorker()` runs: `hostStore()` and all it takes, in one classic script. */
import { fileURLToPath } from 'node:url'
import { buildSync } from 'esbuild'

export function bundleHostScript(): string {
  const { outputFiles } = buildSync({
    stdin: {
      contents: `import { hostStore } from './src/worker/host-store.ts'\nhostStore()`,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    },
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
  })
  return outputFiles[0]!.text
}
