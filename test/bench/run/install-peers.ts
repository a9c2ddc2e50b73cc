import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const peersFolder = fileURLToPath(new URL('../peers', import.meta.url))

/** Installs the peers as their lock file has them, unless that is what is there; `npm install` never does. */
export function installPeers(): void {
  const lock = `${peersFolder}/package-lock.json`
  const installed = `${peersFolder}/node_modules/.package-lock.json`
  if (existsSync(installed) && statSync(installed).mtimeMs > statSync(lock).mtimeMs) return
  console.error('bench: installing the peers it compares with')
  const { status } = spawnSync(
    'npm',
    ['ci', '--prefix', peersFolder, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  if (status !== 0) throw new Error(`The peers could not be installed. Type: npm ci --prefix ${peersFolder}`)
}

/** The version of each, by the name of its package. */
export function peerVersions(): { readonly [name: string]: string } {
  return JSON.parse(readFileSync(`${peersFolder}/package.json`, 'utf8')).dependencies
}
