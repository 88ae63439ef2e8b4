/**
 * What a statement's WHERE says of a virtual table's columns, said again of its hidden parameters: `FROM events WHERE event BETWEEN 5 AND 9`
 * becomes `… WHERE event BETWEEN 5 AND 9 AND events.first = 5 AND events.last = 9`. SQLite tells a table function of equality with a
 * hidden column only, so that without this a range would be a filter behind a reading of everything.
 *
 * Only what follows from the statement is added, so its rows stay the same, and where anything is unclear nothing is: the table must stand in
 * a FROM by its bare name, and the terms count that the WHERE of the same SELECT joins by AND, each a column compared with a literal. A parser of the
 * whole language would be a large dependency (one with ranges in the source has a licence that ours cannot take); these terms need words,
 * brackets and clauses, which are the same in all of it.
 */

/** How a column's comparisons narrow what a table produces. */
export interface Narrowing {
  readonly column: string;
  /** Parameters for the least and the greatest integer, both inclusive. */
  readonly range?: readonly [first: string, last: string];
  /** Parameter for one integer. */
  readonly value?: string;
  /** Parameter for one or several of these words, separated by commas. */
  readonly words?: { readonly parameter: string; readonly known: readonly string[] };
}

export interface Narrowable {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly narrowing?: readonly Narrowing[];
}

interface Token {
  readonly what: "word" | "quoted" | "integer" | "text" | "other";
  /** Words in lower case, quoted names and text without their quotes. */
  readonly text: string;
  readonly end: number;
  /** Brackets around it. */
  readonly depth: number;
}

const PATTERN =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<text>'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?<number>\.?\d[\w.]*)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|<=|>=|==|<>|!=|\|\||->>?|[\s\S]/uy;

function tokens(sql: string): Token[] {
  const found: Token[] = [];
  let depth = 0;
  for (const match of sql.matchAll(new RegExp(PATTERN.source, "guy"))) {
    const [all] = match;
    const { space, text, quoted, number, word } = match.groups!;
    if (space !== undefined) continue;
    if (all === ")") depth--;
    const end = match.index + all.length;
    if (text !== undefined) found.push({ what: "text", text: text.slice(1, -1).replaceAll("''", "'"), end, depth });
    else if (quoted !== undefined) found.push({ what: "quoted", text: quoted.slice(1, -1), end, depth });
    else if (number !== undefined)
      found.push({ what: /^\d{1,15}$/.test(number) ? "integer" : "other", text: number, end, depth });
    else if (word !== undefined) found.push({ what: "word", text: word.toLowerCase(), end, depth });
    else found.push({ what: "other", text: all, end, depth });
    if (all === "(") depth++;
  }
  return found;
}

/** Words that end a FROM or a WHERE at their own depth of brackets. */
const CLAUSES = new Set(["group", "having", "window", "order", "limit", "union", "except", "intersect", "values"]);
/** Words after a table's name that are no alias of it. */
const NO_ALIAS = new Set([
  "join",
  "left",
  "right",
  "full",
  "inner",
  "outer",
  "cross",
  "natural",
  "on",
  "using",
  "where",
]);
/** Words that make a list of terms more than terms joined by AND, or hold an AND of their own. */
const UNCLEAR = new Set(["or", "case"]);

/** What stands in a statement for a parameter that is not given. */
export const NOT_GIVEN = "(not given)";

/**
 * The statement with the NULLs among the arguments of these tables replaced: `events(NULL, NULL, 'new')` gives the third parameter alone. To
 * SQLite an argument is a comparison, and nothing is equal to NULL, so that there would be no row.
 */
export function withoutNulls(sql: string, tables: readonly Narrowable[]): string {
  const words = tokens(sql);
  const names = new Set(tables.map(({ name }) => name));
  const nulls: number[] = [];
  words.forEach(({ what, text, depth }, i) => {
    if (what !== "word" || !names.has(text) || words[i + 1]?.text !== "(" || !isInFrom(words, i)) return;
    for (let k = i + 2; k < words.length && words[k]!.depth > depth; k++) {
      const [before, word, after] = [words[k - 1]!, words[k]!, words[k + 1]];
      const isArgument = word.depth === depth + 1 && word.what === "word" && word.text === "null";
      if (isArgument && /^[(,]$/.test(before.text) && /^[),]$/.test(after?.text ?? "")) nulls.push(word.end);
    }
  });
  return nulls.reduceRight((text, end) => `${text.slice(0, end - 4)}'${NOT_GIVEN}'${text.slice(end)}`, sql);
}

/** The statement with what its WHERE says of these tables said of their parameters too; the same statement where it says nothing. */
export function narrowed(sql: string, tables: readonly Narrowable[]): string {
  const words = tokens(sql);
  const additions: { at: number; text: string }[] = [];
  for (const { name, parameters, narrowing } of tables) {
    if (!narrowing) continue;
    const isWord = (token: Token | undefined, word: string): boolean => token?.what === "word" && token.text === word;
    // Parameters given by hand, or the name given to something else: the author knows what is read.
    if (words.some(({ what, text }) => (what === "word" || what === "quoted") && parameters.includes(text))) continue;
    if (words.some((token, i) => isWord(token, name) && isWord(words[i + 1], "as") && words[i + 2]?.text === "("))
      continue;
    words.forEach((token, i) => {
      if (!isWord(token, name) || !isInFrom(words, i)) return;
      const next = words[i + 1];
      if (next?.text === "(" || next?.text === ".") return;
      const where = termsAfter(words, i);
      if (!where) return;
      const alias = aliasAt(words, i + 1) ?? name;
      const limits = where.terms.flatMap((term) => limitsOf(term, alias, narrowing));
      const text = parametersOf(limits, narrowing)
        .map(([parameter, value]) => ` AND "${alias.replaceAll('"', '""')}"."${parameter}" = ${value}`)
        .join("");
      if (text !== "") additions.push({ at: where.end, text });
    });
  }
  additions.sort((x, y) => y.at - x.at);
  return additions.reduce((text, { at, text: more }) => text.slice(0, at) + more + text.slice(at), sql);
}

/** Whether the name at `i` is a table of a FROM, the first or a joined one. */
function isInFrom(words: readonly Token[], i: number): boolean {
  const { depth } = words[i]!;
  const before = words[i - 1];
  if (before?.what === "word" && (before.text === "from" || before.text === "join")) return true;
  if (before?.text !== ",") return false;
  for (let k = i - 1; k >= 0 && words[k]!.depth >= depth; k--) {
    const { what, text, depth: at } = words[k]!;
    if (at !== depth || what !== "word") continue;
    if (text === "from") return true;
    if (text === "select" || text === "where" || CLAUSES.has(text)) return false;
  }
  return false;
}

function aliasAt(words: readonly Token[], i: number): string | undefined {
  const isAs = words[i]?.what === "word" && words[i]!.text === "as";
  const token = words[isAs ? i + 1 : i];
  if (token?.what === "quoted") return token.text;
  if (token?.what !== "word") return undefined;
  return isAs || !(NO_ALIAS.has(token.text) || CLAUSES.has(token.text)) ? token.text : undefined;
}

/** The terms that the WHERE behind `i` joins by AND, and where it ends; undefined where there is none, or it is not that simple. */
function termsAfter(words: readonly Token[], i: number): { terms: Token[][]; end: number } | undefined {
  const { depth } = words[i]!;
  const isOwn = (k: number): boolean => words[k]!.depth === depth;
  const ends = (k: number): boolean => {
    const { what, text } = words[k]!;
    return words[k]!.depth < depth || (isOwn(k) && (text === ";" || (what === "word" && CLAUSES.has(text))));
  };
  let k = i + 1;
  while (k < words.length && !ends(k) && !(isOwn(k) && words[k]!.what === "word" && words[k]!.text === "where")) k++;
  if (k === words.length || ends(k)) return undefined;
  const terms: Token[][] = [[]];
  let isBetween = false;
  for (k++; k < words.length && !ends(k); k++) {
    const token = words[k]!;
    const word = isOwn(k) && token.what === "word" ? token.text : "";
    if (UNCLEAR.has(word)) return undefined;
    if (word === "and" && !isBetween) {
      terms.push([]);
      continue;
    }
    if (word === "and") isBetween = false;
    if (word === "between") isBetween = true;
    terms[terms.length - 1]!.push(token);
  }
  const last = words[k - 1]!;
  return terms.every((term) => term.length > 0) ? { terms, end: last.end } : undefined;
}

type Limit =
  | { readonly column: string; readonly from?: number; readonly to?: number }
  | { readonly column: string; readonly words: readonly string[] };

/** What one term says of a column of the table that goes by `alias`; nothing for terms of other forms. */
function limitsOf(term: readonly Token[], alias: string, narrowing: readonly Narrowing[]): Limit[] {
  const isQualified = term[1]?.text === "." && term[1].what === "other";
  if (isQualified && term[0]!.text !== alias.toLowerCase() && term[0]!.text !== alias) return [];
  const [name, ...rest] = isQualified ? term.slice(2) : term;
  if (name === undefined || name.what === "text" || !narrowing.some(({ column }) => column === name.text)) return [];
  const column = name.text;
  const [operator, value, ...more] = rest;
  if (operator === undefined || value === undefined) return [];
  const number = value.what === "integer" ? Number(value.text) : undefined;
  if (more.length === 0) {
    const isEqual = operator.text === "=" || operator.text === "==";
    if (isEqual && value.what === "text") return [{ column, words: [value.text] }];
    if (number === undefined || operator.what !== "other") return [];
    if (isEqual) return [{ column, from: number, to: number }];
    if (operator.text === ">" || operator.text === ">=")
      return [{ column, from: number + (operator.text === ">" ? 1 : 0) }];
    // Nothing is below 0, and a range to -1 is not a legal one.
    if (operator.text === "<=" || (operator.text === "<" && number > 0))
      return [{ column, to: number - (operator.text === "<" ? 1 : 0) }];
    return [];
  }
  if (operator.what !== "word") return [];
  if (operator.text === "between" && number !== undefined && more.length === 2 && more[1]!.what === "integer")
    return [{ column, from: number, to: Number(more[1]!.text) }];
  if (operator.text === "in" && value.text === "(" && more.length > 0 && more[more.length - 1]!.text === ")") {
    const items = more.slice(0, -1);
    const isList = items.every((item, i) => (i % 2 === 0 ? item.what === "text" : item.text === ","));
    if (isList && items.length % 2 === 1)
      return [{ column, words: items.filter((_, i) => i % 2 === 0).map(({ text }) => text) }];
  }
  return [];
}

/** The parameters that say what all the limits say together, with their values as SQL. */
function parametersOf(limits: readonly Limit[], narrowing: readonly Narrowing[]): [string, string][] {
  return narrowing.flatMap(({ column, range, value, words }): [string, string][] => {
    const own = limits.filter((limit) => limit.column === column);
    const integers = own.filter((limit) => !("words" in limit)) as Extract<Limit, { from?: number }>[];
    const from = Math.max(-1, ...integers.map((limit) => limit.from ?? -1));
    const to = Math.min(Infinity, ...integers.map((limit) => limit.to ?? Infinity));
    if (range) {
      const found: [string, string][] = [];
      if (from >= 0) found.push([range[0], `${from}`]);
      if (to < Infinity) found.push([range[1], `${to}`]);
      return found;
    }
    if (value !== undefined) return from === to ? [[value, `${from}`]] : [];
    const lists = own.flatMap((limit) => ("words" in limit ? [limit.words] : []));
    const [first] = lists;
    if (!words || first === undefined || !first.every((word) => words.known.includes(word))) return [];
    return [[words.parameter, `'${first.join(",")}'`]];
  });
}
