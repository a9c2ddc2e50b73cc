/**
 * Values a simulation types: each is unlike any other and found again in any text, as `w17w`. No id and no hash of the
 * library holds a `w`.
 */
export function valueText(value: number): string {
  return `w${value}w`
}

/** The values in a text, each once. */
export function valuesIn(text: string): number[] {
  if (!text.includes('w')) return []
  const found = new Set<number>()
  for (const [, digits] of text.matchAll(/w(\d+)w/g)) found.add(Number(digits))
  return [...found]
}

/** The values anywhere in plain data. */
export function valuesOf(data: unknown): number[] {
  return data === undefined ? [] : valuesIn(JSON.stringify(data))
}

/** The values in a step's answers by the field they lie in; a list within a field is one field. */
export function placesIn(answers: unknown, place = ''): [value: number, place: string][] {
  if (Array.isArray(answers)) {
    const items = answers as readonly { readonly key?: unknown }[]
    if (place !== '' || items.some((item) => typeof item?.key !== 'string')) {
      return valuesOf(answers).map((value) => [value, place])
    }
    return items.flatMap((item) => placesIn(item, `/${item.key}`))
  }
  if (typeof answers !== 'object' || answers === null) return valuesOf(answers).map((value) => [value, place])
  return Object.entries(answers).flatMap(([name, member]) => placesIn(member, `${place}/${name}`))
}
