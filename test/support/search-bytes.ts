/**
 * Looks for a text in the bytes of a folder, in every form it could lie there: UTF-8, UTF-16LE, base64 at any alignment
 * (itself in either), and in what was compressed with Snappy (LevelDB's blocks, Chromium's and Firefox's values) or
 * deflate.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inflateRawSync, inflateSync } from 'node:zlib'

export interface Finding {
  readonly file: string
  /** `utf-8`, `utf-16le`, `base64`, with `in snappy` or `in deflate` where it was compressed. */
  readonly form: string
}

/** Where in the folder the text lies. `isStored` tells the files in which compressed text is looked for too. */
export function findText(
  folder: string,
  text: string,
  isStored: (path: string) => boolean = () => true,
): Finding[] {
  const needles = needlesOf(text)
  return filesIn(folder).flatMap((path) => {
    const bytes = readFileSync(path)
    const file = path.slice(folder.length + 1)
    const plain = formsIn(bytes, needles).map((form) => ({ file, form }))
    if (plain.length > 0 || !isStored(path)) return plain
    return [...compressedFormsIn(bytes, needles)].map((form) => ({ file, form }))
  })
}

/** True where the very bytes lie in some file. */
export function holdsBytes(folder: string, bytes: Uint8Array): boolean {
  return filesIn(folder).some((path) => readFileSync(path).includes(Buffer.from(bytes)))
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path, { throwIfNoEntry: false }) !== undefined)
}

interface Needle {
  readonly form: string
  readonly bytes: Buffer
}

function needlesOf(text: string): Needle[] {
  const base64 = ['utf8', 'utf16le'].flatMap((encoding) =>
    [0, 1, 2].map((shift) => {
      const coded = Buffer.concat([
        Buffer.alloc(shift),
        Buffer.from(text, encoding as BufferEncoding),
      ]).toString('base64')
      // What the bytes before and after have a part in is cut off.
      return coded.slice(shift === 0 ? 0 : shift + 1, -4)
    }),
  )
  return [
    { form: 'utf-8', bytes: Buffer.from(text, 'utf8') },
    { form: 'utf-16le', bytes: Buffer.from(text, 'utf16le') },
    ...base64.flatMap((coded) => [
      { form: 'base64', bytes: Buffer.from(coded, 'latin1') },
      { form: 'base64', bytes: Buffer.from(coded, 'utf16le') },
    ]),
  ]
}

function formsIn(bytes: Buffer, needles: readonly Needle[]): string[] {
  return [...new Set(needles.filter((needle) => bytes.includes(needle.bytes)).map(({ form }) => form))]
}

/** Nobody says where something compressed begins, so it is tried from every byte. */
function compressedFormsIn(bytes: Buffer, needles: readonly Needle[]): Set<string> {
  const forms = new Set<string>()
  const look = (found: Buffer | undefined, how: string) => {
    if (found !== undefined) for (const form of formsIn(found, needles)) forms.add(`${form} in ${how}`)
  }
  const scratch = Buffer.alloc(longestBlock)
  for (let at = 0; at < bytes.length; at++) {
    look(unsnappy(bytes, at, scratch), 'snappy')
    if (bytes[at] === 0x78 || bytes[at] === 0x1f)
      look(inflate(bytes.subarray(at, at + longestBlock)), 'deflate')
  }
  return forms
}

const longestBlock = 1 << 20

/** As much as decodes of the Snappy block that begins here; `undefined` where that is no more than lies there anyway. */
function unsnappy(bytes: Buffer, from: number, out: Buffer): Buffer | undefined {
  let at = from
  let length = 0
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++]
    if (byte === undefined || shift > 21) return undefined
    length |= (byte & 0x7f) << shift
    if (byte < 0x80) break
  }
  if (length < 16 || length > longestBlock || ((bytes[at] ?? 1) & 3) !== 0) return undefined
  let size = 0
  let copies = 0
  while (size < length && at < bytes.length) {
    const tag = bytes[at++]!
    const kind = tag & 3
    if (kind === 0) {
      let run = tag >> 2
      if (run >= 60) {
        const extra = run - 59
        if (extra > 3 || at + extra > bytes.length) break
        run = bytes.readUIntLE(at, extra)
        at += extra
      }
      run += 1
      if (size + run > length || at + run > bytes.length) break
      bytes.copy(out, size, at, at + run)
      at += run
      size += run
      continue
    }
    const run = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1
    const width = kind === 3 ? 4 : kind
    if (at + width > bytes.length) break
    const low = bytes.readUIntLE(at, width)
    const offset = kind === 1 ? ((tag >> 5) << 8) | low : low
    at += width
    if (offset === 0 || offset > size || size + run > length) break
    for (let i = 0; i < run; i++) out[size + i] = out[size + i - offset]!
    size += run
    copies += 1
  }
  return copies === 0 ? undefined : out.subarray(0, size)
}

function inflate(bytes: Buffer): Buffer | undefined {
  const options = { finishFlush: 2, maxOutputLength: 8 * longestBlock }
  try {
    return bytes[0] === 0x1f ? inflateRawSync(bytes.subarray(10), options) : inflateSync(bytes, options)
  } catch {
    return undefined
  }
}
