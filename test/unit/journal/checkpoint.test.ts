import { describe, expect, test } from 'vitest'
import { createCheckpointWriter, readManifest, stateFromManifest } from '../../../src/journal/checkpoint.ts'
import { initialState, type SessionState } from '../../../src/record/state.ts'
import { testFlow } from '../../support/journal-rig.ts'

const long = (text: string) => text.padEnd(70_000, 'lorem ipsum ')

function withAnswers(answers: SessionState['answers']): SessionState {
  return { ...initialState(testFlow, 'one'), answers }
}

function written() {
  const writer = createCheckpointWriter()
  const first = withAnswers({ one: { a: long('a'), b: 'before' }, two: { c: 'c' } })
  const before = writer.take(first, 1, {}, 1)
  const second = withAnswers({ one: { a: long('a'), b: 'after' }, two: first.answers['two']! })
  return { second, before, after: writer.take(second, 2, {}, 2) }
}

describe('a checkpoint', () => {
  test('hashes only the pieces of a step that read otherwise', () => {
    const { before, after } = written()
    const isKept = after.parts.map((part) => before.parts.includes(part))
    expect(isKept).toEqual([true, true, false, true])
  })

  test('gives back the state it was made of', () => {
    const { second, after } = written()
    expect(stateFromManifest(readManifest(after.row)!, after.parts)).toEqual(second)
  })

  test.each<[string, (part: { k: string; t: string; s: string }) => object]>([
    ['another letter in a text', (part) => ({ ...part, t: part.t.replace('lorem', 'lorex') })],
    ['another text whole', (part) => ({ ...part, t: '{}' })],
    ['another checksum', (part) => ({ ...part, s: '0'.repeat(16) })],
  ])('does not verify with %s', (_, spoil) => {
    const { after } = written()
    const [first, ...rest] = after.parts
    expect(stateFromManifest(readManifest(after.row)!, [spoil(first!), ...rest])).toBeUndefined()
  })

  test('is of no use without one of its parts', () => {
    const { after } = written()
    expect(stateFromManifest(readManifest(after.row)!, after.parts.slice(1))).toBe('incomplete')
  })
})
