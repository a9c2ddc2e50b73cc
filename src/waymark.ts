export type { ErrorCode, ErrorDetails } from './base/errors.ts'
export { isWaymarkError, WaymarkError } from './base/errors.ts'
export type { Json, JsonObject } from './base/json.ts'
export {
  createWaymark,
  type Waymark,
  type WaymarkOptions,
} from './client/create-waymark.ts'
export type { Resumable } from './client/heads.ts'
export type { PageLife } from './client/page-life.ts'
export type { ExportOptions, ImportOptions } from './client/portability.ts'
export type { TabNews, Tabs } from './client/tabs.ts'
export type { TidyOptions, TidyReport } from './client/tidy.ts'
export type { Locks } from './client/turns.ts'
export type { AnswersOf, StepIdOf, StepInput } from './flow/answers-of.ts'
export {
  defineFlow,
  type NextOptions,
  type Step,
  type StepKinds,
  type StepOptions,
} from './flow/define-flow.ts'
export type { CheckpointRule, Expiry, Flow, Leaf, Path } from './flow/definition.ts'
export { type Finding, lint } from './flow/lint.ts'
export type { MergePolicies, MergePolicy } from './flow/merge-policy.ts'
export { needsAttention } from './flow/needs-attention.ts'
export { pathOf } from './flow/path.ts'
export { type Progress, progressOf, type StepProgress } from './flow/progress.ts'
export { reachableSteps } from './flow/reachable-steps.ts'
export type { StandardSchemaV1 } from './flow/standard-schema.ts'
export { submission } from './flow/submission.ts'
export { type Issue, type Validation, validateStep } from './flow/validate-step.ts'
export type { LedgerCheckpoint, LedgerEntry } from './journal/ledger.ts'
export type { Quarantined } from './journal/quarantine.ts'
export { machineFromFlow, type SessionMachine } from './machine/machine-from-flow.ts'
export type { SessionActor } from './machine/session-actor.ts'
export type { SessionEvent } from './machine/session-event.ts'
export type { ImportOutcome } from './portable/import-session.ts'
export type { Backend, ExchangeOptions, ExchangeOutcome } from './protocol/backend.ts'
export type { Parked, SyncStatus } from './protocol/sync-status.ts'
export type {
  Answers,
  FlowRef,
  KeyedItem,
  SessionState,
  Status,
  StepAnswers,
  StepId,
} from './record/state.ts'
export type { Conflict, Fork } from './session/conflicts.ts'
export type { MoveOutcome, SavedOutcome, SaveLevel } from './session/outcome.ts'
export type { Session, SessionEventOf, Verification } from './session/session.ts'
export type { SessionSnapshot, StateEnvelope } from './session/session-snapshot.ts'
export type { AtRisk, Saved, SessionStatus } from './session/session-status.ts'
export type { Encryption, HostKey } from './store/encryption.ts'
export type { Store } from './store/store.ts'
export { bindHistory, type HistoryOptions } from './ui/bind-history.ts'
