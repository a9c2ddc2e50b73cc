import { offerFrame } from './frame.ts'
import { countUp } from './losses.ts'
import { offerMemory } from './memory.ts'
import type { Options, Result } from './result.ts'
import type { Subject } from './subject.ts'
import { waymark } from './waymark.ts'
import { burst } from './work/burst.ts'
import { change } from './work/change.ts'
import { checkpoint } from './work/checkpoint.ts'
import { growth } from './work/growth.ts'
import { list } from './work/list.ts'
import { mainThread } from './work/main-thread.ts'
import { offline } from './work/offline.ts'
import { open } from './work/open.ts'
import { save } from './work/save.ts'
import { typing } from './work/typing.ts'
import { writers } from './work/writers.ts'

export type Report =
  | {
      readonly type: 'measured'
      readonly work: string
      readonly results: readonly Result[]
      readonly isIsolated: boolean
    }
  | { readonly type: 'failed'; readonly work: string; readonly message: string }

const works: { readonly [work: string]: (options: Options) => Promise<Result[]> } = {
  ...{ change, save, burst, typing, open, list, offline, growth, writers, checkpoint },
  'main-thread': mainThread,
}

/**
 * The page was opened as `/?work=change&quick`: does that work and posts what it measured. As `/?frame`, `/?memory` and
 * `/?losses=…` it is driven from elsewhere.
 */
export async function runPage(peers: () => Promise<readonly Subject[]>): Promise<void> {
  const query = new URLSearchParams(location.search)
  const subjects = [waymark, ...(await peers())]
  if (query.has('frame')) return offerFrame(subjects)
  if (query.has('memory')) return offerMemory(subjects)
  if (query.has('losses')) return countUp(subjects, query)
  const work = query.get('work') ?? ''
  try {
    const results = await works[work]!({ isQuick: query.has('quick'), subjects })
    await report({ type: 'measured', work, results, isIsolated: crossOriginIsolated })
  } catch (error) {
    const message = error instanceof Error ? `${error.message}\n${error.stack}` : String(error)
    await report({ type: 'failed', work, message })
  }
}

async function report(body: Report): Promise<void> {
  await fetch('/report', { method: 'POST', body: JSON.stringify(body) })
}
