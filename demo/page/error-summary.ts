import type { Issue } from 'waymark'
import type { StepBody } from './body.ts'
import { focusOn, h } from './dom.ts'
import type { Field } from './field.ts'

/** The issues of a step, above its fields, each a link to its field. */
export function createErrorSummary({ fieldOf, whereOf }: Pick<StepBody, 'fieldOf' | 'whereOf'>) {
  const list = h('ul')
  const heading = h('h2', { id: 'error-summary-title' }, 'There is a problem')
  const box = h(
    'div',
    { class: 'error-summary', role: 'alert', 'aria-labelledby': 'error-summary-title', id: 'error-summary' },
    heading,
    list,
  )
  const root = h('div')
  const textOf = (issue: Issue) => [whereOf?.(issue), issue.message].filter(Boolean).join(': ')
  let shown = ''
  return {
    root,
    show(issues: readonly Issue[]): void {
      const now = issues.map(({ path, message }) => `${path} ${message}`).join('\n')
      if (now === shown) return
      shown = now
      list.replaceChildren(...issues.map((issue) => h('li', {}, entryOf(textOf(issue), fieldOf(issue)))))
      if (issues.length === 0) box.remove()
      else if (!box.isConnected) root.append(box)
    },
    focus(): void {
      focusOn(box)
      box.scrollIntoView({ block: 'nearest' })
    },
  }
}

function entryOf(text: string, field: Field | undefined): Node {
  if (field === undefined) return document.createTextNode(text)
  const link = h('a', { href: `#${field.first.id}` }, text)
  // The hash of this page names the step, so the link moves the focus and leaves the URL alone.
  link.addEventListener('click', (event) => {
    event.preventDefault()
    field.first.focus()
    field.root.scrollIntoView({ block: 'nearest' })
  })
  return link
}
