/** A step that repeats: one group of fields per item, found again by its key whatever happens to the list. */
import type { KeyedItem } from 'waymark'
import type { StepWords } from '../questions.ts'
import type { StepBody } from './body.ts'
import { button, h, setText } from './dom.ts'
import { createField, type Field } from './field.ts'
import type { StepPort } from './step-port.ts'

interface ItemView {
  readonly root: HTMLElement
  readonly legend: HTMLElement
  readonly remove: HTMLElement
  readonly fieldByName: ReadonlyMap<string, Field>
}

/** `tell` says what a button did, for those who do not see it. */
export function createItemList(
  step: string,
  words: StepWords & { readonly item: NonNullable<StepWords['item']> },
  port: StepPort,
  tell: (news: string) => void,
): StepBody {
  const { item: names, questions } = words
  const viewByKey = new Map<string, ItemView>()
  let keys: readonly string[] = []
  const empty = h('p', { class: 'empty' }, names.empty)
  const list = h('div', { class: 'items' })
  const add = button('add', names.add, {
    onClick() {
      const view = viewByKey.get(port.add())
      view?.fieldByName.values().next().value?.first.focus()
      tell(`${names.name} ${keys.length} added`)
    },
  })

  function createItem(key: string): ItemView {
    const legend = h('legend', {}, names.name)
    const fieldByName = new Map(
      questions.map((question): [string, Field] => [
        question.name,
        createField(question, { prefix: `${step}.${key}`, onInput: (fields) => port.set(fields, key) }),
      ]),
    )
    const remove = button('remove', 'Remove', {
      look: 'quiet',
      onClick() {
        const number = keys.indexOf(key) + 1
        port.drop(key)
        add.focus()
        tell(`${names.name} ${number} removed`)
      },
    })
    const fields = [...fieldByName.values()].map((field) => field.root)
    const root = h('fieldset', { class: 'item', 'data-item': key }, legend, ...fields, remove)
    return { root, legend, remove, fieldByName }
  }

  function showKeys(next: readonly string[]): void {
    for (const [key, view] of viewByKey) {
      if (next.includes(key)) continue
      view.root.remove()
      viewByKey.delete(key)
    }
    next.forEach((key, i) => {
      const view = viewByKey.get(key) ?? createItem(key)
      viewByKey.set(key, view)
      if (list.children[i] !== view.root) list.insertBefore(view.root, list.children[i] ?? null)
      setText(view.legend, `${names.name} ${i + 1}`)
      view.remove.setAttribute('aria-label', `Remove ${names.name.toLowerCase()} ${i + 1}`)
    })
    keys = next
    empty.hidden = next.length > 0
    setText(add, next.length > 0 ? names.add.replace(/\ban?\b/, 'another') : names.add)
  }

  return {
    roots: [empty, list, add],
    show({ answers }) {
      const items = (answers as { readonly [step: string]: readonly KeyedItem[] | undefined })[step] ?? []
      showKeys(items.map((item) => item.key))
      for (const item of items) {
        for (const field of viewByKey.get(item.key)?.fieldByName.values() ?? []) field.show(item)
      }
    },
    fieldOf({ path }) {
      const [, index, name] = path.split('/')
      return viewByKey.get(keys[Number(index)] ?? '')?.fieldByName.get(name ?? '')
    },
    whereOf: ({ path }) => `${names.name} ${Number(path.split('/')[1]) + 1}`,
    *fields() {
      for (const view of viewByKey.values()) yield* view.fieldByName.values()
    },
  }
}
