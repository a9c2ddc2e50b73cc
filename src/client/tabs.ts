import type { Clock } from '../base/clock.ts'

/** What tabs of one namespace tell each other: hints only, each is followed by a read of what is stored. */
export interface Tabs {
  tell(news: TabNews): void
  on(listener: (news: TabNews) => void): () => void
  close(): void
}

export type TabNews =
  /** Entries or drafts of this session were stored. */
  | { readonly type: 'stored'; readonly session: string }
  /** The server acknowledged or sent something for this session. */
  | { readonly type: 'synced'; readonly session: string }
  /** Nothing of this session is stored here any more. */
  | { readonly type: 'removed'; readonly session: string }
  /** A session of someone not signed in is an account's now. */
  | { readonly type: 'claimed'; readonly session: string }

/** How long news of what was stored waits for more of it: telling costs a good part of what storing costs. */
const gatherMs = 25

/** Tabs over a BroadcastChannel; where there is none, tabs find out when they are looked at again. */
export function openTabs(namespace: string, clock: Clock): Tabs {
  if (typeof BroadcastChannel === 'undefined') return { tell: () => {}, on: () => () => {}, close: () => {} }
  const channel = new BroadcastChannel(`waymark:${namespace}`)
  // In Node an open channel would keep a server's script from ending.
  ;(channel as { unref?: () => void }).unref?.()
  const stored = new Set<string>()
  let isClosed = false

  function post(news: TabNews): void {
    if (!isClosed) channel.postMessage(news)
  }

  function postStored(): void {
    for (const session of stored) post({ type: 'stored', session })
    stored.clear()
  }

  return {
    tell(news) {
      if (news.type !== 'stored') {
        postStored()
        return post(news)
      }
      if (stored.size === 0) clock.after(gatherMs, postStored)
      stored.add(news.session)
    },
    on(listener) {
      const onMessage = ({ data }: MessageEvent<unknown>) => {
        if (isNews(data)) listener(data)
      }
      channel.addEventListener('message', onMessage)
      return () => channel.removeEventListener('message', onMessage)
    },
    close() {
      postStored()
      isClosed = true
      channel.close()
    },
  }
}

function isNews(value: unknown): value is TabNews {
  const news = value as Partial<TabNews> | null
  return (
    typeof news === 'object' &&
    news !== null &&
    ['stored', 'synced', 'removed', 'claimed'].includes(news.type ?? '') &&
    typeof news.session === 'string'
  )
}
