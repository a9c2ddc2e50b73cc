import type { Opened, Subject } from './subject.ts'

/**
 * A second page of the profile: a frame of the same origin that loads the same module, with its own copy of every
 * library, its own connections and channels. Frames share a thread, so the two race for the database and not for a
 * core, alike for every subject; a Worker would leave out those that need `localStorage` or `window`.
 */
export interface Frame {
  open(subject: string, database: string, key: string): Promise<Opened>
  remove(): void
}

type FrameWindow = Window & { openSession?: Frame['open'] }

export async function openFrame(): Promise<Frame> {
  const element = document.createElement('iframe')
  const isReady = new Promise((resolve) => addEventListener('message', resolve, { once: true }))
  element.src = '/?frame'
  document.body.append(element)
  await isReady
  const { openSession } = element.contentWindow as FrameWindow
  return { open: openSession!, remove: () => element.remove() }
}

/** In the frame: says that it is there. */
export function offerFrame(subjects: readonly Subject[]): void {
  const open: Frame['open'] = async (subject, database, key) => {
    const connection = await subjects.find(({ name }) => name === subject)!.connect(database)
    const opened = await connection.open(key)
    return {
      ...opened,
      async close() {
        await opened.close()
        await connection.close()
      },
    }
  }
  Object.assign(window, { openSession: open })
  parent.postMessage('ready', origin)
}
