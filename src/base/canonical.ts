import type { Json } from './json.ts'

/**
 * Writes `value` as canonical JSON after RFC 8785: members sorted by UTF-16 code units, ECMAScript number and string
 * forms, no white space. One deviation: a lone surrogate is escaped (`\ud800`) instead of refused, since people type
 * half an emoji. The text is therefore always well-formed Unicode and never contains a raw NUL. Members that are
 * `undefined` are left out, as `JSON.stringify` does.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) {
    let text = '['
    for (let i = 0; i < value.length; i++) text += (i > 0 ? ',' : '') + canonicalJson(value[i] as Json)
    return `${text}]`
  }
  const object = value as { readonly [key: string]: Json }
  let text = ''
  for (const key of Object.keys(object).sort()) {
    const member = object[key]
    if (member === undefined) continue
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`
  }
  return `{${text}}`
}
