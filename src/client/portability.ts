/**
 * Sessions of one account out into a file and back in. Not in the first load.
 *
 * Invariants
 * - Only the current account's sessions leave; others come in only where that is asked for.
 * - What is open is stored first, as far as it can be; what cannot be stored is in the file all the same.
 */
import { WaymarkError } from '../base/errors.ts'
import type { Random } from '../base/ids.ts'
import type { Flow } from '../flow/definition.ts'
import type { Journal } from '../journal/journal.ts'
import { type ExportSource, exportSession } from '../portable/export-session.ts'
import { type ImportOutcome, importSession } from '../portable/import-session.ts'
import { readFile, writeFile } from '../portable/portable-file.ts'
import type { Head } from '../record/head.ts'
import { initialState, type SessionState, type StepId } from '../record/state.ts'
import type { Store } from '../store/store.ts'

export interface ExportOptions {
  /** Seals the file, with everything in it. Without one it is plain JSON, and sensitive answers are left out. */
  readonly passphrase?: string
}

export interface ImportOptions {
  /** Of a file that was sealed. */
  readonly passphrase?: string
  /** Takes sessions made under other accounts for the current one's. Default false. */
  readonly isTakingOver?: boolean
}

/** What this needs of the account's sessions. */
export interface PortableAccount {
  readonly account: string
  readonly store: Promise<Store>
  readonly flowById: ReadonlyMap<string, Flow>
  /** What a session of this flow starts from. */
  readonly initialOf: (flow: Flow) => SessionState
  readonly sensitiveFieldsOf: (flow: Flow) => ReadonlyMap<StepId, readonly string[]>
  /** What is stored is encrypted: flows with sensitive fields may be kept. */
  readonly isEncrypted: boolean
  readonly now: () => number
  readonly random: Random
  heads(): Promise<readonly Head[]>
  /** The session as it is open on this page, if it is. */
  openSession(
    id: string,
  ): Promise<{ readonly journal: Journal; readonly toHead: (state: SessionState) => Head } | undefined>
  /** Entries of this session were added to the store. */
  imported(id: string): Promise<void>
}

/** All of the account's sessions, or those named. */
export async function exportSessions(
  from: PortableAccount,
  { passphrase, ids }: ExportOptions & { readonly ids?: readonly string[] },
): Promise<Blob> {
  const [store, heads] = await Promise.all([from.store, from.heads()])
  const sessions = []
  for (const id of ids ?? heads.map((head) => head.id)) {
    const listed = heads.find((head) => head.id === id)
    const source = await sourceOf(from, id, listed, passphrase !== undefined)
    if (source !== undefined) sessions.push(await exportSession(store, source))
  }
  const begun = sessions.filter(({ entries, state }) => entries.length > 0 || state !== undefined)
  return writeFile(begun, { now: from.now(), passphrase })
}

async function sourceOf(
  { flowById, initialOf, sensitiveFieldsOf, openSession, now }: PortableAccount,
  id: string,
  listed: Head | undefined,
  isSealed: boolean,
): Promise<ExportSource | undefined> {
  const open = await openSession(id)
  await open?.journal.settled()
  const shown = open && { state: open.journal.state, at: now() * 1000 }
  const head = open && shown ? open.toHead(shown.state) : listed
  if (head === undefined) return undefined
  const flow = flowById.get(head.flow.id)
  // Which of its answers are sensitive only its definition tells.
  if (flow === undefined && !isSealed) throw flowNeeded(head)
  const initial =
    flow === undefined ? initialState({ ...head.flow, hash: '' }, head.step.id) : initialOf(flow)
  return {
    head,
    initial,
    shown,
    now: now(),
    leftOut: flow === undefined || isSealed ? new Map() : sensitiveFieldsOf(flow),
  }
}

export async function importSessions(
  into: PortableAccount,
  file: Blob | string,
  { passphrase, isTakingOver = false }: ImportOptions,
): Promise<readonly ImportOutcome[]> {
  const { account, random, flowById, sensitiveFieldsOf, isEncrypted, openSession, imported } = into
  const store = await into.store
  const outcomes: ImportOutcome[] = []
  for (const read of await readFile(file, passphrase)) {
    if (read.type === 'unreadable') {
      outcomes.push({ session: read.id, type: 'unreadable', reason: read.reason })
      continue
    }
    const { id, head } = read.session
    const flow = flowById.get(head.flow.id)
    if (flow !== undefined && !isEncrypted && sensitiveFieldsOf(flow).size > 0) {
      outcomes.push({ session: id, type: 'refused', reason: 'encryption-needed' })
      continue
    }
    await (await openSession(id))?.journal.settled()
    const outcome = await importSession({ store, account, isTakingOver, random }, read.session)
    outcomes.push(outcome)
    if (outcome.type === 'imported') await imported(id)
  }
  return outcomes
}

function flowNeeded({ id, flow }: Head): WaymarkError {
  return new WaymarkError(
    'flow-unknown',
    `No flow "${flow.id}" was given to createWaymark, so nobody can say which answers of session "${id}" are sensitive. Add it to "flows", or export under a passphrase.`,
    { details: { flow: flow.id, session: id } },
  )
}
