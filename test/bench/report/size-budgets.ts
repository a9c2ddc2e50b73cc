import type { Rule } from './budgets.ts'

/** As the design asks; what `npm run check` holds are the limits in package.json, which say what has been reached. */
const gzipKb = (subject: string, what: string): Rule['measure'] => {
  return (rows) => {
    const bytes = rows.find((row) => row.work === 'size' && row.subject === subject)?.counts?.[what]
    return bytes === undefined ? undefined : bytes / 1024
  }
}

export const sizeBudgets: readonly Rule[] = [
  { name: 'waymark, own code, KB gzip', limit: 14, measure: gzipKb('waymark', 'ownGzip') },
  { name: 'createWaymark and defineFlow, in all, KB gzip', limit: 32, measure: gzipKb('waymark', 'gzip') },
  { name: 'the script tag, KB gzip', limit: 52, measure: gzipKb('waymark/script', 'gzip') },
]
