import type { Shape } from './shape.ts'
import type { Connection, Opened, Subject } from './subject.ts'

export type OpenedSubject = Subject & Opened

/** A session of that shape in each subject, every one in a database of its own. */
export async function openAll(
  subjects: readonly Subject[],
  database: string,
  shape: Shape,
): Promise<{ readonly opened: readonly OpenedSubject[]; close(): Promise<void> }> {
  const connections: Connection[] = []
  const opened: OpenedSubject[] = []
  for (const subject of subjects) {
    const connection = await subject.connect(`${database}-${subject.name}`)
    connections.push(connection)
    opened.push({ ...subject, ...(await connection.open('session', shape)) })
  }
  return {
    opened,
    async close() {
      for (const one of opened) await one.close()
      for (const connection of connections) await connection.close()
    },
  }
}
