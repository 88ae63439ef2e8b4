/**
 * Everything that a report says about a trace as a whole, as plain data: what was recorded, whether it is exact, what was alive when, what
 * each line did, and what is alive at the end. The analyzers' findings are apart from it.
 */
import { sourceLines } from "../base/lines.js";
import type { Replay } from "../replay/replay.js";
import { type Survey, survey, timeInfo } from "../replay/survey.js";
import { type Companion, type VerifyResult, verify } from "../replay/verify.js";
import { type TraceInfo, traceInfo } from "../trace/info.js";
import { type Activity, ActivityCounter } from "./activity.js";
import { type AliveAt, AliveSurvey } from "./alive-at-edges.js";
import { type TimeSeries, TimeSurvey } from "./time-series.js";

/** Source lines that are handed over, over all files. */
const MOST_SOURCE_LINES = 20_000;
/** Bytes of a source file that is handed over. */
const LARGEST_SOURCE = 1 << 20;

export interface SourceFile {
  readonly path: string;
  readonly role: string;
  /** Its lines; null = too long, see `leftOut`. */
  readonly lines: readonly string[] | null;
}

/** What is not shown, and why. */
export interface LeftOut {
  readonly what: string;
  readonly why: string;
}

export interface Overview {
  readonly info: TraceInfo;
  readonly verify: VerifyResult;
  readonly time: TimeSeries;
  readonly activity: Activity;
  readonly sources: readonly SourceFile[];
  /** What was alive at ends of the activity's stretches, ascending. */
  readonly alive: readonly AliveAt[];
  /** At the end, without the baseline. */
  readonly end: Survey;
  readonly leftOut: readonly LeftOut[];
}

/** `companion` is given every chunk on the way. */
export function overviewOf(replay: Replay, companion: Companion = {}): Overview {
  const { reader } = replay;
  const leftOut: LeftOut[] = [];
  const counter = new ActivityCounter(replay);
  const surveys = new TimeSurvey(replay, (event) => timeInfo(replay, event));
  const alive = new AliveSurvey(replay);
  // One pass for all of them.
  const counting: Companion = { chunk: (columns) => counter.take(columns) };
  const checked = verify(reader, { companions: [counting, surveys, alive, companion] });
  const time = surveys.result();
  const activity = counter.result();
  const more = (what: string, listed: number, all: number, why: string): void => {
    if (all > listed) leftOut.push({ what: `${all - listed} of ${all} ${what}`, why });
  };
  more(
    "samples of the time series",
    time.moments.length,
    time.samples,
    "the charts show evenly chosen ones, each exact",
  );
  more("collections", time.collections.length, time.collectionsInAll, "the first ones are listed");
  more("marks", time.marks.length, time.marksInAll, "the first ones are listed");
  if (time.others.types > 0)
    leftOut.push({
      what: `${time.others.types} types in the charts over time`,
      why: "never among the largest: drawn together as “other types”",
    });
  if (!reader.meta.complete)
    leftOut.push({
      what: "the end of the program",
      why: `the recording was cut off: ${reader.meta.stopped ?? "killed"}`,
    });
  const sources = sourcesOf(replay, leftOut);
  replay.seek(replay.end);
  const end = survey(replay);
  return {
    info: traceInfo(reader),
    verify: checked,
    time,
    activity,
    sources,
    alive: alive.result(),
    end,
    leftOut,
  };
}

function sourcesOf({ reader }: Replay, leftOut: LeftOut[]): SourceFile[] {
  let left = MOST_SOURCE_LINES;
  return reader.files().map(({ path, role }) => {
    const bytes = reader.file(path);
    const lines = bytes && bytes.length <= LARGEST_SOURCE ? sourceLines(new TextDecoder().decode(bytes)) : null;
    if (lines && lines.length <= left) {
      left -= lines.length;
      return { path, role, lines };
    }
    leftOut.push({ what: `the text of ${path}`, why: "the files together are too long for one page" });
    return { path, role, lines: null };
  });
}
