import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Makes sure that one process at a time has a folder: two databases on the same files would destroy them. A claim is a
 * socket that is listened to, so that of a killed process is void at once. Resolves to what gives the folder back.
 */
export async function claimFolder(folder: string): Promise<() => Promise<void>> {
  const id = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  const isWindows = process.platform === 'win32'
  const path = isWindows ? `\\\\.\\pipe\\waymark-demo-${id}` : join(tmpdir(), `waymark-demo-${id}.sock`)
  let server = await listen(path)
  if (server === undefined) {
    if (await isListenedTo(path)) throw new Error(`another demo is running on ${folder}. Stop it first.`)
    rmSync(path, { force: true })
    server = await listen(path)
  }
  if (server === undefined) throw new Error(`another demo has just started on ${folder}.`)
  const claim = server
  return () => new Promise((resolve) => claim.close(() => resolve()))
}

function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(path, () => resolve(server.unref()))
  })
}

function isListenedTo(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
