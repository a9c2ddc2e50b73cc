import type { Progress, StepProgress } from 'waymark'
import { byId, h, setText } from './dom.ts'

export interface ProgressRail {
  show(progress: Progress, isDone: boolean): void
}

/** The steps behind and ahead; on a narrow screen in one line, the list behind a button. */
export function createProgressRail(): ProgressRail {
  const root = byId('progress')
  const text = byId('progress-text')
  const bar = byId('progress-bar') as HTMLProgressElement
  const list = byId('progress-steps')
  const toggle = byId('progress-toggle')
  const expand = (isExpanded: boolean) => {
    toggle.setAttribute('aria-expanded', String(isExpanded))
    setText(toggle, isExpanded ? 'Hide steps' : 'Show steps')
    root.classList.toggle('is-expanded', isExpanded)
  }
  // Set, not added: the next application takes over the same elements.
  toggle.onclick = () => expand(toggle.getAttribute('aria-expanded') !== 'true')
  list.onclick = () => expand(false)
  let shown = ''

  return {
    show(progress, isDone) {
      setText(text, progressText(progress, isDone))
      bar.value = Math.floor(progress.fraction * 100)
      const now = JSON.stringify(progress.steps)
      if (now === shown) return
      shown = now
      list.replaceChildren(...progress.steps.map(rowOf))
    },
  }
}

/** `Step 3 of at least 8`, or `Step 3 of 8` once nothing is undecided. */
export function progressText({ steps, min, max }: Progress, isDone: boolean): string {
  if (isDone) return 'All steps done'
  const sure = steps.filter(({ state }) => state !== 'undecided')
  const at = sure.findIndex(({ state }) => state === 'current') + 1
  return `Step ${at} of ${max > min ? 'at least ' : ''}${min}`
}

const stateWords: Record<StepProgress['state'], string> = {
  finished: 'finished',
  skipped: 'skipped',
  current: 'you are here',
  todo: 'to do',
  undecided: 'only if it applies to you',
}

/** What is shown beside a title; for those who do not see it, `stateWords` says it. */
function tagOf({ state, isOptional }: StepProgress): string | undefined {
  if (state === 'undecided') return 'maybe'
  if (state === 'skipped') return 'skipped'
  return isOptional && state === 'todo' ? 'optional' : undefined
}

function rowOf(row: StepProgress): HTMLElement {
  const { id, title, state, isReachable } = row
  const isLink = isReachable && state !== 'current'
  const tag = tagOf(row)
  const words = [
    title,
    h('span', { class: 'unseen' }, `, ${stateWords[state]}`),
    tag === undefined ? undefined : h('span', { class: 'tag', 'aria-hidden': 'true' }, tag),
  ]
  return h(
    'li',
    { 'data-step-state': state, 'data-for': id, 'aria-current': state === 'current' && 'step' },
    isLink ? h('a', { href: `#${id}` }, ...words) : h('span', {}, ...words),
  )
}
