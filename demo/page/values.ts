/** Between a step's answers and the text a control shows. */
import type { Json } from 'waymark'
import type { Question } from '../questions.ts'

/** The answer at these members, as a control holds it; empty where there is none. */
export function textAt(answers: unknown, members: readonly string[]): string {
  let value = answers
  for (const member of members) {
    value = isObject(value) && Object.hasOwn(value, member) ? value[member] : undefined
  }
  if (value === true) return 'yes'
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** An answer as a person reads it. */
export function toWords(question: Question, answers: unknown): string {
  const value = isObject(answers) ? answers[question.name] : undefined
  switch (question.kind) {
    case 'date': {
      const parts = ['day', 'month', 'year'].map((part) => textAt(value, [part]).trim())
      return parts.every((part) => part === '') ? '' : parts.map((part) => part || '–').join(' / ')
    }
    case 'choice':
    case 'select':
      return question.choices.find((choice) => choice.value === value)?.label ?? ''
    case 'confirm':
      return value === true ? 'Yes' : ''
    case 'text': {
      const text = textAt(answers, [question.name]).trim()
      return text === '' || question.prefix === undefined || text.startsWith(question.prefix)
        ? text
        : question.prefix + text
    }
    case 'area':
      return textAt(answers, [question.name])
  }
}

/** The value of a conflict in a few words, whatever it is. */
export function toShortText(value: Json | undefined): string {
  if (value === undefined || value === '') return 'nothing'
  if (typeof value === 'string') return `“${value.length > 60 ? `${value.slice(0, 60)}…` : value}”`
  if (Array.isArray(value)) {
    const names = value.map((item) => (isObject(item) ? String(Object.values(item)[0] ?? '') : String(item)))
    return value.length === 0 ? 'an empty list' : `${value.length} (${names.join(', ')})`
  }
  if (isObject(value)) return `“${Object.values(value).join(' ')}”`
  return String(value)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
