/** Bundles the simulator with the library, once, to run it in workers; a patch changes one place of one source file. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A change of the source, made while it is bundled. */
export interface Patch {
  /** A path from the root of the repository. */
  readonly file: string
  /** Stands there exactly once; anything else is an error. */
  readonly find: string
  readonly replace: string
}

/** An ES module as text, for Node. Rejects where a patch does not fit. */
export async function bundle(entry: string, patches: readonly Patch[] = []): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${root}${entry}`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    define: { 'process.env.NODE_ENV': '"production"' },
    legalComments: 'none',
    logLevel: 'silent',
    plugins: patches.length === 0 ? [] : [patching(patches)],
  })
  return outputFiles[0]!.text
}

function patching(patches: readonly Patch[]): Plugin {
  const left = new Set(patches)
  return {
    name: 'patching',
    setup({ onLoad, onEnd }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const own = patches.filter(({ file }) => path === `${root}${file}`)
        if (own.length === 0) return undefined
        let contents = await readFile(path, 'utf8')
        for (const patch of own) {
          contents = patched(contents, patch)
          left.delete(patch)
        }
        return { contents, loader: 'ts' }
      })
      onEnd(({ errors }) => {
        if (errors.length > 0) return
        for (const { file } of left) throw new Error(`${file} is not part of the bundle`)
      })
    },
  }
}

function patched(text: string, { file, find, replace }: Patch): string {
  const count = text.split(find).length - 1
  if (count !== 1) throw new Error(`${file} has ${count} times, not once: ${find}`)
  return text.replace(find, () => replace)
}
