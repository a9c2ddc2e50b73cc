import type { Options, Result } from './result.ts'
import type { Subject } from './subject.ts'
import { waymark } from './waymark.ts'
import { burst } from './work/burst.ts'
import { change } from './work/change.ts'
import { growth } from './work/growth.ts'
import { list } from './work/list.ts'
import { offline } from './work/offline.ts'
import { open } from './work/open.ts'
import { save } from './work/save.ts'
import { typing } from './work/typing.ts'

export type Report =
  | {
      readonly type: 'measured'
      readonly work: string
      readonly results: readonly Result[]
      readonly isIsolated: boolean
    }
  | { readonly type: 'failed'; readonly work: string; readonly message: string }

const works: { readonly [work: string]: (options: Options) => Promise<Result[]> } = {
  ...{ change, save, burst, typing, open, list, offline, growth },
}

/** The page was opened as `/?work=change&quick`: does that work and posts what it measured. */
export async function runWork(peers: () => Promise<readonly Subject[]>): Promise<void> {
  const query = new URLSearchParams(location.search)
  const work = query.get('work') ?? ''
  try {
    const results = await works[work]!({
      isQuick: query.has('quick'),
      subjects: [waymark, ...(await peers())],
    })
    await report({ type: 'measured', work, results, isIsolated: crossOriginIsolated })
  } catch (error) {
    const message = error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
    await report({ type: 'failed', work, message })
  }
}

async function report(body: Report): Promise<void> {
  await fetch('/report', { method: 'POST', body: JSON.stringify(body) })
}
