/** A display for WebKitGTK, which has no headless mode: the one there is, else a virtual one of our own. */
import { type ChildProcess, spawn } from 'node:child_process'

let virtualDisplay: Promise<string> | undefined

/** The value for `DISPLAY`. A virtual display started here ends with this process. */
export function openDisplay(): Promise<string> {
  const given = process.env['DISPLAY']
  if (given !== undefined && given !== '') return Promise.resolve(given)
  virtualDisplay ??= startVirtualDisplay().then(({ display }) => display)
  return virtualDisplay
}

/** One more, whatever there is; `end` ends it before this process does. */
export function startVirtualDisplay(): Promise<{ display: string; end(): void }> {
  return new Promise((resolve, reject) => {
    // Xvfb picks a free number itself and writes it to file descriptor 3 once it accepts connections.
    const xvfb: ChildProcess = spawn(
      'Xvfb',
      // Without -noreset it starts over when the last browser leaves, and turns away one that comes meanwhile.
      ['-displayfd', '3', '-screen', '0', '1280x900x24', '-nolisten', 'tcp', '-ac', '-noreset'],
      { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] },
    )
    const end = () => void xvfb.kill('SIGKILL')
    process.once('exit', end)
    xvfb.once('error', reject)
    xvfb.once('exit', (code) => reject(new Error(`Xvfb ended with ${code}`)))
    const pipe = xvfb.stdio[3] as NodeJS.ReadableStream & { unref?: () => void }
    pipe.once('data', (data: Buffer) => {
      xvfb.unref()
      pipe.unref?.()
      resolve({ display: `:${data.toString().trim()}`, end })
    })
  })
}
