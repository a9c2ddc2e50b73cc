/**
 * Checkpoints: a manifest per checkpoint and one content-addressed part per piece of a step's text.
 *
 * Invariants
 * - A part is named by the SHA-256 of its text, so unchanged steps are shared between checkpoints and never rewritten;
 *   a step whose answers kept their reference is not even serialised again.
 * - A checkpoint is trusted only if its manifest matches its hash and every part its checksum: hashing a megabyte of
 *   parts at opening would hold the page up for 40 ms and more.
 * - A checkpoint is a shortcut: without any, the journal alone gives the same state.
 */
import { canonicalJson } from '../base/canonical.ts'
import { checksum } from '../base/checksum.ts'
import { sha256 } from '../base/hash.ts'
import type { Json } from '../base/json.ts'
import type { ChainHeads } from '../record/entry.ts'
import { isFlowRef, parseJson } from '../record/guard.ts'
import { fromParts, partsOf } from '../record/parts.ts'
import type { SessionState, StepId } from '../record/state.ts'
import type { Row } from '../store/store.ts'
import { splitText } from './rows.ts'

export interface Manifest {
  readonly position: number
  /** The state but for what is in parts. */
  readonly meta: Omit<SessionState, 'answers' | 'conflicts'>
  /** Hashes of the parts that hold the text of each step, and of the open conflicts, in order. */
  readonly steps: { readonly [step: StepId]: readonly string[] }
  readonly heads: ChainHeads
  /** Largest hybrid stamp folded in. */
  readonly at: number
}

export interface ManifestRow {
  readonly v: 1
  readonly i: number
  readonly c: string
  readonly h: string
}

export interface PartRow {
  readonly v: 1
  readonly k: string
  readonly t: string
  /** Checksum of name and text. */
  readonly s: string
}

/** Turns states into manifests and parts, remembering the text of answers it has written before. */
export interface CheckpointWriter {
  take(state: SessionState, position: number, heads: ChainHeads, at: number): Checkpoint
}

export interface Checkpoint {
  readonly row: ManifestRow
  readonly parts: readonly PartRow[]
}

export function createCheckpointWriter(): CheckpointWriter {
  const pieces = new WeakMap<object, readonly PartRow[]>()
  /** What each step had last: a piece that reads the same is not hashed again. */
  const lastByStep = new Map<StepId, readonly PartRow[]>()

  function rowsOf(step: StepId, part: Json): readonly PartRow[] {
    const last = lastByStep.get(step)
    return splitText(canonicalJson(part)).map((text, i) => (last?.[i]?.t === text ? last[i]! : toPart(text)))
  }

  return {
    take(state, position, heads, at) {
      const steps: Record<StepId, readonly string[]> = {}
      const parts = new Map<string, PartRow>()
      for (const [step, part] of Object.entries(partsOf(state))) {
        if (part === undefined) continue
        const rows = pieces.get(part as object) ?? rowsOf(step, part)
        pieces.set(part as object, rows)
        lastByStep.set(step, rows)
        steps[step] = rows.map((row) => row.k)
        for (const row of rows) {
          parts.set(row.k, row)
        }
      }
      const { answers: _, conflicts: __, ...meta } = state
      const manifest: Manifest = { position, meta, steps, heads, at }
      const text = canonicalJson(manifest as unknown as Json)
      return { row: { v: 1, i: position, c: text, h: sha256(text) }, parts: [...parts.values()] }
    },
  }
}

function toPart(text: string): PartRow {
  const k = sha256(text)
  return { v: 1, k, t: text, s: checksum(k + text) }
}

export function toPartRows(session: string, parts: readonly PartRow[]): Row[] {
  return parts.map((part) => ({ store: 'parts', key: [session, part.k], value: part }))
}

/** A manifest from storage, verified; `undefined` where it is damaged or newer. */
export function readManifest(value: unknown): Manifest | undefined {
  const row = value as Partial<ManifestRow> | null
  if (typeof row !== 'object' || row === null || row.v !== 1) return undefined
  if (typeof row.c !== 'string' || sha256(row.c) !== row.h) return undefined
  const manifest = parseJson(row.c) as unknown as Manifest | undefined
  return manifest !== undefined && isFlowRef(manifest.meta?.flow) ? manifest : undefined
}

/** The state a manifest names, every part verified; `incomplete` where one is missing, `undefined` where damaged. */
export function stateFromManifest(
  manifest: Manifest,
  parts: readonly unknown[],
): SessionState | 'incomplete' | undefined {
  const partByHash = new Map<string, PartRow>()
  for (const value of parts) {
    const part = value as Partial<PartRow> | null
    if (typeof part?.k === 'string' && typeof part.t === 'string') partByHash.set(part.k, part as PartRow)
  }
  const read: { [step: string]: Json } = {}
  for (const step of Object.keys(manifest.steps)) {
    let text = ''
    for (const hash of manifest.steps[step]!) {
      const part = partByHash.get(hash)
      if (part === undefined) return 'incomplete'
      if (!isSound(part)) return undefined
      text += part.t
    }
    const value = parseJson(text)
    if (typeof value !== 'object' || value === null) return undefined
    read[step] = value
  }
  return { ...manifest.meta, ...fromParts(read) }
}

function isSound({ k, t, s }: PartRow): boolean {
  return s === checksum(k + t)
}
