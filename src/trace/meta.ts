/** What a trace says of itself, as it is read back: a stranger's trace may say anything, so each value is looked at once, here. */
import { Failure } from "../base/failure.js";
import type { Row, TraceMeta } from "./schema.js";

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isNumber: Check = (value) => typeof value === "number";
const isList: Check = (value) => Array.isArray(value) && value.every(isText);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isOneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);

const CHECKS: Readonly<Record<keyof TraceMeta, Check>> = {
  format: isNumber,
  created: isText,
  complete: isOneOf(true, false),
  python: isText,
  program: (value) => isRecord(value) && isOneOf("script", "module", "code")(value["kind"]) && isText(value["text"]),
  argv: isList,
  cwd: isText,
  from: isOneOf("script", "interpreter"),
  exitCode: (value) => value === null || isNumber(value),
  wallSeconds: isNumber,
  stopped: isText,
  interpreter: isText,
  mallocAlignment: isOneOf(8, 16),
  rewriter: isText,
  library: isText,
  recorder: isText,
  env: (value) => isRecord(value) && Object.values(value).every(isText),
  hashSeed: isNumber,
  staticObjects: isNumber,
};

/** The rows of the table `meta` as an object; throws a Failure that names the first that is wrong. Keys that are not known pass. */
export function readMeta(path: string, rows: readonly Row<"meta">[]): Readonly<Partial<TraceMeta>> {
  const meta = Object.fromEntries(rows.map(({ key, value }) => [key, parseJson(path, key, value)]));
  for (const [key, isRight] of Object.entries(CHECKS))
    if (Object.hasOwn(meta, key) && !isRight(meta[key]))
      throw new Failure(`${path}: meta ${key}: is not of its kind; the trace is damaged there`);
  return meta;
}

function parseJson(path: string, key: string, value: string): unknown {
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw new Failure(`${path}: meta ${key}: is not JSON; the trace is damaged there`, 1, { cause });
  }
}
