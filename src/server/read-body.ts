export type BodyOutcome =
  | { readonly type: 'json'; readonly value: unknown }
  | { readonly type: 'too-large' }
  | { readonly type: 'media-type' }
  | { readonly type: 'malformed' }

/** Reads a JSON body, and stops reading where it exceeds `limitBytes`, whatever its header says. */
export async function readJsonBody(request: Request, limitBytes: number): Promise<BodyOutcome> {
  const mediaType = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (mediaType !== 'application/json' || encoding !== 'identity') return { type: 'media-type' }
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes) return { type: 'too-large' }
  try {
    const bytes = await readBytes(request.body, limitBytes)
    if (bytes === undefined) return { type: 'too-large' }
    return { type: 'json', value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
  } catch {
    return { type: 'malformed' }
  }
}

async function readBytes(
  body: ReadableStream<Uint8Array> | null,
  limitBytes: number,
): Promise<Uint8Array | undefined> {
  if (body === null) return new Uint8Array()
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > limitBytes) {
      await reader.cancel().catch(() => {})
      return undefined
    }
    chunks.push(value)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}
