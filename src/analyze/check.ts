/**
 * Rules that a program's memory must keep, for CI: each rule is asked of the analysis that knows, and what breaks it comes with its findings.
 * One more analysis is one more entry of `RULES`.
 */
import { Failure } from "../base/failure.js";
import { findLeaks, type LeakFinding, type LeakOptions, type LeakResult } from "./leaks.js";

export interface Rules {
  /** No leak, no growth that goes on, no lost reference. */
  readonly noLeaks?: boolean;
  /** Objects that leaks hold, all together, at most. */
  readonly maxLeakedObjects?: number;
  /** Bytes by which live objects may grow from the end of the warm-up to the last round. */
  readonly maxGrowth?: number;
  /** Bytes of live objects, at most, ever. */
  readonly maxLiveBytes?: number;
  /** As `leaks --iterations`. */
  readonly iterations?: string;
  /** Fingerprints of findings that are known and allowed. */
  readonly allow?: readonly string[];
}

export interface BrokenRule {
  readonly rule: string;
  /** What was allowed, and what was found. */
  readonly allowed: number;
  readonly found: number;
  readonly findings: readonly LeakFinding[];
}

export interface CheckResult {
  readonly ok: boolean;
  readonly rules: Rules;
  readonly broken: readonly BrokenRule[];
}

type Form = "flag" | "number" | "text" | "list";
const FORMS: Record<keyof Rules, Form> = {
  noLeaks: "flag",
  maxLeakedObjects: "number",
  maxGrowth: "number",
  maxLiveBytes: "number",
  iterations: "text",
  allow: "list",
};

const fits: Record<Form, (value: unknown) => boolean> = {
  flag: (value) => typeof value === "boolean",
  number: (value) => typeof value === "number" && Number.isFinite(value) && value >= 0,
  text: (value) => typeof value === "string",
  list: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
};
const NAMES: Record<Form, string> = {
  flag: "true or false",
  number: "a number from 0",
  text: "a text",
  list: "a list of texts",
};

/** Rules from a JSON text; throws Failure in one line for what is none. `from`: where the text came from. */
export function parseRules(text: string, from: string): Rules {
  let rules: unknown;
  try {
    rules = JSON.parse(text);
  } catch (error) {
    throw new Failure(`${from}: is not JSON: ${(error as Error).message}`, 2);
  }
  if (typeof rules !== "object" || rules === null || Array.isArray(rules)) {
    throw new Failure(`${from}: must be one JSON object, such as {"noLeaks": true}`, 2);
  }
  for (const [key, value] of Object.entries(rules)) {
    const form = Object.hasOwn(FORMS, key) ? FORMS[key as keyof Rules] : undefined;
    if (!form) throw new Failure(`${from}: ${key} is no rule; rules are ${Object.keys(FORMS).join(", ")}`, 2);
    if (!fits[form](value)) throw new Failure(`${from}: ${key} must be ${NAMES[form]}`, 2);
  }
  return rules as Rules;
}

interface Measured {
  readonly leaks: LeakResult;
  readonly problems: readonly LeakFinding[];
}

const total = (findings: readonly LeakFinding[]): number => findings.reduce((sum, one) => sum + one.total.objects, 0);

/** By rule: what is allowed, what was found, and the findings that say so. Broken when more is found than allowed. */
const RULES: Record<"noLeaks" | "maxLeakedObjects" | "maxGrowth" | "maxLiveBytes", (found: Measured) => number> = {
  noLeaks: ({ problems }) => problems.length,
  maxLeakedObjects: ({ problems }) => total(problems),
  maxGrowth: ({ leaks }) => leaks.bytes.to - leaks.bytes.from,
  maxLiveBytes: ({ leaks }) => leaks.bytes.peak,
};

/** Asks the trace whether it keeps the rules. */
export function check(path: string, rules: Rules, options: Pick<LeakOptions, "progress"> = {}): CheckResult {
  const asked = (Object.keys(RULES) as (keyof typeof RULES)[]).filter(
    (rule) => rules[rule] !== undefined && rules[rule] !== false,
  );
  if (asked.length === 0) {
    throw new Failure(
      "nothing to check: give --no-leaks, --max-leaked-objects N, --max-growth BYTES, --max-live-bytes BYTES or --rules FILE",
      2,
    );
  }
  const leaks = findLeaks(path, { ...options, iterations: rules.iterations });
  const problems = leaks.findings.filter(
    ({ isProblem, fingerprint }) => isProblem && rules.allow?.includes(fingerprint) !== true,
  );
  const broken: BrokenRule[] = [];
  for (const rule of asked) {
    const limit = rules[rule];
    const allowed = typeof limit === "number" ? limit : 0;
    const found = RULES[rule]({ leaks, problems });
    if (found > allowed) broken.push({ rule, allowed, found, findings: rule === "maxLiveBytes" ? [] : problems });
  }
  return { ok: broken.length === 0, rules, broken };
}
