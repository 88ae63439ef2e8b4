/** The library's face: everything that the command line does, a program can do. */

export {
  type Activity,
  activityOf,
  type Counted,
  LINE_COUNTS,
  type LineActivity,
  type TypeActivity,
} from "./analyze/activity.js";
export { type BrokenRule, type CheckResult, check, parseRules, type Rules } from "./analyze/check.js";
export type { CycleExample, CycleFinding, CycleMember, Moment, Spread, TypeObjects } from "./analyze/cycle-findings.js";
export {
  analyseCycles,
  type CollectionInfo,
  type CyclesAnswer,
  type CyclesOptions,
  createdCycles,
} from "./analyze/cycles.js";
export { type ExplainOptions, type ExplainResult, explain } from "./analyze/explain.js";
export type {
  Change,
  ChangeBy,
  ExplainedLine,
  ExplainedObject,
  ExplainedRound,
  Explanation,
  ObjectInRound,
  ObjectOnLine,
  TypeCount,
} from "./analyze/explain-data.js";
export type { Step, StepNode, Steps } from "./analyze/explain-steps.js";
export { type Finding, type FindingKind, fingerprintOf, type SourcePlace } from "./analyze/finding.js";
export { type GarbageCheck, type GarbageNow, type GarbageOptions, garbageNow } from "./analyze/garbage-now.js";
export {
  findLeaks,
  type LeakedGroup,
  type LeakFinding,
  type LeakOptions,
  type LeakResult,
  leaksOf,
} from "./analyze/leaks.js";
export type { KeptReference } from "./analyze/leaks-ledger.js";
export { type LeftOut, type Overview, overviewOf, type SourceFile } from "./analyze/overview.js";
export {
  type AddressLife,
  addressLife,
  analysePools,
  type FreeListRow,
  type FreeLists,
  type HeapSeries,
  type HeatMap,
  type HoleRow,
  MODEL_NAMES,
  type ModelResult,
  type ModelSeries,
  type Occupant,
  type Pin,
  type PoolsAnalysis,
  type PoolsOptions,
  type PrivatePoolResult,
  type PymallocResult,
  type RealHeap,
  type SizeClassRow,
} from "./analyze/pools.js";
export { type ReportInput, reportInput } from "./analyze/report-input.js";
export type { Suspect } from "./analyze/suspects.js";
export { type CollectionRow, type TimeSeries, type TypeSeries, timeSeries } from "./analyze/time-series.js";
export { Failure } from "./base/failure.js";
export * from "./base/ids.js";
export { sourceLines } from "./base/lines.js";
export type { Garbage, GarbageEdge, GarbageObject, WeakrefCallback } from "./interpreter/collector.js";
export { isFromInput, type Program } from "./interpreter/configuration.js";
export { programEnvironment } from "./record/environment.js";
export { endLine, hideLine, showLine } from "./record/line.js";
export { checkProgram, defaultTrace } from "./record/program.js";
export { type Progress, type RecordOptions, type RecordResult, record } from "./record/record.js";
export { type ChangeRow, type Comparison, compareTimes, type PlaceChange, type TypeChange } from "./replay/compare.js";
export { type DescribedEvent, describeEvents, describeEventsOf, type EventFilter } from "./replay/describe.js";
export { BEFORE_TRACE, Heap, type HeapBlock, type HeapObject } from "./replay/heap.js";
export {
  type Death,
  type History,
  type HistoryOptions,
  historyOf,
  type LedgerRow,
  type OpenReference,
} from "./replay/history.js";
export { createNames, type Names, type Place, shownFile } from "./replay/names.js";
export { eachEventOf, type ObjectEvent, type ObjectEventRow, type Origin, originOf } from "./replay/object-events.js";
export { type Birth, openReplay, Replay, type ReplayOptions } from "./replay/replay.js";
export { resolveObject } from "./replay/select.js";
export {
  callStack,
  checkFilter,
  countOf,
  type Frame,
  listObjects,
  type ObjectFilter,
  type ObjectRow,
  objectRow,
  type PlaceRow,
  runningStack,
  SORT_KEYS,
  type SortKey,
  type Survey,
  type SurveyOptions,
  survey,
  type TimeInfo,
  type TypeRow,
  timeInfo,
} from "./replay/survey.js";
export { replayTables } from "./replay/tables-for-sql.js";
export { resolveTime, wallAt } from "./replay/times.js";
export { alignmentOf, type Difference, type VerifyOptions, type VerifyResult, verify } from "./replay/verify.js";
export { type Chart, type Dataset, standalone } from "./report/charts.js";
export { makeComparison } from "./report/compare.js";
export { CHART_FORMATS, type ChartFormat, type DrawOptions, drawChart } from "./report/draw-chart.js";
export { makeReport, pageOf, type Report, type ReportOptions } from "./report/page.js";
export { stepperPage } from "./report/stepper.js";
export { type GraphAtOptions, graphAt } from "./rewind/graph-at.js";
export type { HeapCheck } from "./rewind/heap-check.js";
export type { Divergence, Evaluation, GarbageAt } from "./rewind/messages.js";
export { type Edge, ObjectGraph } from "./rewind/object-graph.js";
export type { Made } from "./rewind/provenance.js";
export {
  Diverged,
  type Held,
  type LineAnswer,
  Past,
  QUESTION_TIMEOUT,
  type QuestionOptions,
  type RerunResult,
  type RewindOptions,
  rerun,
  TookTooLong,
} from "./rewind/rewind.js";
export {
  type WhyAnswer,
  type WhyDeath,
  type WhyObject,
  type WhyOptions,
  type WhyPath,
  type WhyResult,
  type WhyStep,
  why,
} from "./rewind/why.js";
export { type WhyAtOptions, whyAt } from "./rewind/why-at.js";
export { createDecoder, createEncoder, type Decoder, type Encoder, MAX_CHUNK_EVENTS } from "./trace/codec.js";
export * from "./trace/events.js";
export { type TraceInfo, traceInfo } from "./trace/info.js";
export { type AuditRow, type ChunkRow, TraceReader } from "./trace/reader.js";
export { FORMAT_VERSION, type Row, type TraceMeta } from "./trace/schema.js";
export type { SqlResult, SqlValue, VirtualTable } from "./trace/sql.js";
export {
  type Audit,
  type Baseline,
  type BlockColumns,
  type ChunkFacts,
  type ObjectColumns,
  TraceWriter,
  type TraceWriterOptions,
  type UnknownReferent,
} from "./trace/writer.js";
export { version } from "./version.js";
