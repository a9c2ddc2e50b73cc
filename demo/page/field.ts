/** One question as native controls: what is typed goes out at once, what is answered elsewhere comes in. */
import type { JsonObject } from 'waymark'
import type { Question } from '../questions.ts'
import { h, setAttribute } from './dom.ts'
import { textAt } from './values.ts'

export interface FieldOptions {
  /** Leads the names of the controls: `you` gives `you.email`. */
  readonly prefix: string
  /** What was typed, as fields to set. */
  readonly onInput: (fields: JsonObject) => void
}

export interface Field {
  readonly question: Question
  readonly root: HTMLElement
  /** What a link in the error summary leads to. */
  readonly first: HTMLElement
  /** Shows the answers, except in a control someone is typing in. */
  show(answers: unknown): void
  setError(message: string | undefined): void
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement

/** Controls with what they hold, and the element that carries the error and hint of all of them. */
interface Parts {
  readonly root: HTMLElement
  readonly controls: readonly { readonly control: Control; readonly members: readonly string[] }[]
  /** What hint and error describe. */
  readonly described: readonly HTMLElement[]
  /** What comes after the error. */
  readonly body: HTMLElement
}

export function createField(question: Question, { prefix, onInput }: FieldOptions): Field {
  const name = `${prefix}.${question.name}`
  const hintId = `${name}-hint`
  const errorId = `${name}-error`
  const hint = question.hint === undefined ? undefined : h('p', { class: 'hint', id: hintId }, question.hint)
  const { root, controls, described, body } = partsOf(question, name, hint)
  let error: HTMLElement | undefined

  const describe = () => {
    const ids = [hint && hintId, error && errorId].filter((id) => id !== undefined)
    for (const element of described) {
      setAttribute(element, 'aria-describedby', ids.length > 0 && ids.join(' '))
      setAttribute(element, 'aria-invalid', error !== undefined && 'true')
    }
  }
  for (const { control, members } of controls) {
    control.addEventListener('input', () => {
      if (isRadio(control) && !control.checked) return
      onInput(toFields(controls, members[0]!))
    })
  }
  describe()

  return {
    question,
    root,
    first: controls[0]!.control,
    show(answers) {
      for (const { control, members } of controls) showIn(control, textAt(answers, members))
    },
    setError(message) {
      if ((error?.lastChild?.textContent ?? undefined) === message) return
      error?.remove()
      error =
        message === undefined
          ? undefined
          : h('p', { class: 'error', id: errorId }, h('span', { class: 'unseen' }, 'Error: '), message)
      if (error !== undefined) body.before(error)
      root.classList.toggle('is-wrong', error !== undefined)
      describe()
    },
  }
}

function partsOf(question: Question, name: string, hint: HTMLElement | undefined): Parts {
  const labelText = question.label + (question.isOptional === true ? ' (optional)' : '')
  if (question.kind === 'choice') {
    const legendId = `${name}-legend`
    const radios = question.choices.map(({ value, label }, i) => {
      const id = i === 0 ? name : `${name}-${value}`
      const control = h('input', { type: 'radio', id, name, value })
      return { control, row: h('div', { class: 'choice' }, control, h('label', { for: id }, label)) }
    })
    const body = h('div', { class: 'choices' }, ...radios.map(({ row }) => row))
    const legend = h('legend', { class: 'label', id: legendId }, labelText)
    const root = h(
      'fieldset',
      { class: 'field', role: 'radiogroup', 'aria-labelledby': legendId },
      legend,
      hint,
      body,
    )
    const controls = radios.map(({ control }) => ({ control, members: [question.name] }))
    return { root, controls, described: [root], body }
  }
  if (question.kind === 'date') {
    const parts = dateParts.map(({ part, label, width, token }) => {
      const id = part === 'day' ? name : `${name}.${part}`
      const control = h('input', {
        ...{ type: 'text', id, name: `${name}.${part}`, inputmode: 'numeric', class: `width-${width}` },
        ...(question.isOwn === true ? { autocomplete: token } : { autocomplete: 'off' }),
      })
      const row = h('div', { class: 'part' }, h('label', { for: id }, label), control)
      return { control, row, members: [question.name, part] }
    })
    const body = h('div', { class: 'parts' }, ...parts.map(({ row }) => row))
    const legend = h('legend', { class: 'label' }, labelText)
    const root = h('fieldset', { class: 'field' }, legend, hint, body)
    return { root, controls: parts, described: parts.map(({ control }) => control), body }
  }
  const control = controlOf(question, name)
  const controls = [{ control, members: [question.name] }]
  const label = h('label', { class: 'label', for: name }, labelText)
  if (question.kind === 'confirm') {
    label.className = ''
    const body = h('div', { class: 'choice' }, control, label)
    return { root: h('div', { class: 'field' }, hint, body), controls, described: [control], body }
  }
  const body =
    question.kind === 'text' && question.prefix !== undefined
      ? h('div', { class: 'prefixed' }, h('span', { 'aria-hidden': 'true' }, question.prefix), control)
      : control
  return { root: h('div', { class: 'field' }, label, hint, body), controls, described: [control], body }
}

const dateParts = [
  { part: 'day', label: 'Day', width: 3, token: 'bday-day' },
  { part: 'month', label: 'Month', width: 3, token: 'bday-month' },
  { part: 'year', label: 'Year', width: 8, token: 'bday-year' },
] as const

function controlOf(question: Exclude<Question, { kind: 'choice' | 'date' }>, name: string): Control {
  const common = { id: name, name }
  switch (question.kind) {
    case 'text':
      return h('input', {
        ...common,
        type: question.type ?? 'text',
        inputmode: question.inputmode,
        autocomplete: question.autocomplete ?? 'off',
        spellcheck: 'false',
        class: question.width && `width-${question.width}`,
      })
    case 'area':
      return h('textarea', { ...common, rows: 6 })
    case 'confirm':
      return h('input', { ...common, type: 'checkbox' })
    case 'select': {
      const options = question.choices.map(({ value, label }) => h('option', { value }, label))
      return h('select', common, h('option', { value: '' }, 'Choose'), ...options)
    }
  }
}

/** What is typed is in the session already, so a difference came from elsewhere; it waits while someone types here. */
function showIn(control: Control, text: string): void {
  if (isRadio(control)) control.checked = control.value === text
  else if (isCheckbox(control)) control.checked = text === 'yes'
  else if (control.value !== text && !(document.activeElement === control && document.hasFocus()))
    control.value = text
}

/** A question of several controls is set as one value. */
function toFields(controls: Parts['controls'], name: string): JsonObject {
  const values = controls.flatMap(({ control, members: [, part] }): [string, string | boolean][] => {
    if (isRadio(control) && !control.checked) return []
    return [[part ?? '', isCheckbox(control) ? control.checked : control.value]]
  })
  const [first] = values
  if (first === undefined) return {}
  return { [name]: first[0] === '' ? first[1] : Object.fromEntries(values) }
}

function isRadio(control: Control): control is HTMLInputElement {
  return control.type === 'radio'
}

function isCheckbox(control: Control): control is HTMLInputElement {
  return control.type === 'checkbox'
}
