/**
 * The steps of the page that goes through a program: one for each round that is shown, in the order in which they ended, with the picture
 * after it. Nodes and edges are read from the stopped interpreter's memory, counts come from the folded events at the same event.
 * Of a long program the first and the last steps are kept; what is between is left out, and said.
 */
import { countOf } from "../replay/survey.js";
import type { Moment, Variable } from "../rewind/moment.js";
import type { Change, Explanation } from "./explain-data.js";
import type { Ledgers } from "./explain-ledger.js";
import type { Phase } from "./explain-walk.js";

/** Steps of a page, and nodes of a picture. */
const MOST_STEPS = 400;
const MOST_NODES = 48;
const MOST_EDGES = 120;

export interface StepNode {
  readonly object: number;
  readonly type: string;
  /** null = immortal. */
  readonly count: number | null;
  readonly address: number;
  /** Bytes of its block; 0 = static memory. */
  readonly bytes: number;
  /** A short text for what has one, as `42` or `'spam'`; "" = none. */
  readonly text: string;
}

export interface Step {
  readonly line: number;
  readonly nth: number;
  readonly phase: Phase;
  /** 1 where the line ran once in each function. */
  readonly rounds: number;
  readonly function: string;
  readonly event: number;
  readonly changes: readonly {
    readonly object: number;
    readonly before: number | null;
    readonly after: number | null;
    readonly list: readonly Pick<Change, "delta" | "text">[];
  }[];
  /** Variables: scope ("" = the module), name, object. */
  readonly variables: readonly (readonly [string, string, number])[];
  readonly nodes: readonly StepNode[];
  /** Source, target, how Python gets there. */
  readonly edges: readonly (readonly [number, number, string])[];
  /** Objects or references that the picture has no room for. */
  readonly more: boolean;
}

export interface Steps {
  readonly steps: readonly Step[];
  readonly leftOut: number;
}

export function stepsOf(
  explanation: Explanation,
  moments: ReadonlyMap<number, Moment>,
  { atMoment }: Ledgers,
  typeName: (type: number) => string,
): Steps {
  const rounds = explanation.lines
    .flatMap((line) => line.shown.map((round) => ({ line, round })))
    .sort((a, b) => a.round.last - b.round.last || a.line.line - b.line.line);
  const half = MOST_STEPS / 2;
  const kept = rounds.length <= MOST_STEPS ? rounds : [...rounds.slice(0, half), ...rounds.slice(-half)];
  const steps = kept.map(({ line, round }): Step => {
    const event = round.last + 1;
    const moment = moments.get(event);
    const objects = atMoment.get(event);
    const nodes = new Map<number, StepNode>();
    let more = moment?.more ?? false;
    const node = (address: number, text: string): number | undefined => {
      const found = objects?.get(address);
      if (!found) return undefined;
      if (!nodes.has(found.object)) {
        if (nodes.size >= MOST_NODES) {
          more = true;
          return undefined;
        }
        const { object, type, count, bytes } = found;
        const shown = text.startsWith("<") ? "" : text;
        nodes.set(object, { object, type: typeName(type), count: countOf(count), address, bytes, text: shown });
      }
      return found.object;
    };
    const variables: [string, string, number][] = [];
    const name = (scope: string, { name: of, address, text }: Variable): void => {
      const object = node(address, text);
      if (object !== undefined) variables.push([scope, of, object]);
    };
    for (const variable of moment?.globals ?? []) name("", variable);
    for (const frame of moment?.frames ?? []) for (const variable of frame.variables) name(frame.function, variable);
    const edges: [number, number, string][] = [];
    for (const { source, target, text } of moment?.edges ?? []) {
      const from = objects?.get(source)?.object;
      if (from === undefined || !nodes.has(from)) continue;
      const to = node(target, "");
      if (to === undefined || edges.length >= MOST_EDGES) more = true;
      else edges.push([from, to, text]);
    }
    return {
      line: line.line,
      nth: round.nth,
      phase: round.phase,
      rounds: line.functions.some(({ rounds: often }) => often > 1) ? line.rounds : 1,
      function: round.function,
      event,
      changes: round.objects.map(({ object, before, after, changes }) => ({
        object,
        before,
        after,
        list: changes.slice(0, 12).map(({ delta, text }) => ({ delta, text })),
      })),
      variables,
      nodes: [...nodes.values()],
      edges,
      more,
    };
  });
  return { steps, leftOut: rounds.length - kept.length };
}
