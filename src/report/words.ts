/**
 * Text from a trace on its way to a reader: escapes made visible, lengths bounded, and where the reader asked for it the program's values and source
 * left out. Every string of a trace that reaches a page passes here, so that what is left out is nowhere in the file.
 *
 * **Values** are what a program computed: keys and reprs in the names of references (`cache['user-1']`), marks, arguments. Names are what its
 * text says: types, functions, attributes, files.
 */
import { printable } from "../base/printable.js";

/** Characters of a name, and of a source line. */
const LONGEST_NAME = 160;
const LONGEST_LINE = 240;
/** Characters of one word within a name or a sentence; of a longer one the start and the end are shown. */
const LONGEST_WORD = 60;
const WORD_END = 15;
/** Characters of a text before it is looked at: names in a trace may be megabytes long. */
const LONGEST_LOOK = 4096;

export const HIDDEN_VALUE = "[…]";

export interface WordsOptions {
  readonly values: boolean;
  readonly source: boolean;
  /** Directories that are left out of paths, the longest first. */
  readonly homes: readonly string[];
}

export class Words {
  readonly options: WordsOptions;
  /** Texts that were shortened. */
  shortened = 0;
  /** Values that were left out of names of references. */
  hidden = 0;

  constructor(options: WordsOptions) {
    this.options = options;
  }

  /** A name of the program's: of a type, a function, a module. */
  name(text: string | null): string {
    return text === null ? "" : this.#named(text, LONGEST_NAME);
  }

  /** Something that the program computed. */
  value(text: string): string {
    if (this.options.values) return this.#clip(text, LONGEST_NAME);
    this.hidden++;
    return "…";
  }

  /** A path to an object, or one step of it: subscripts that are no plain numbers are values. */
  expression(text: string): string {
    return this.#named(this.options.values ? text : this.#withoutValues(text), LONGEST_NAME);
  }

  /** A sentence that an analyzer made of names, numbers and expressions; `values`: expressions in it as they were. */
  sentence(text: string, expressions: readonly string[] = []): string {
    if (this.options.values) return this.#named(text, 4 * LONGEST_NAME);
    const known = expressions.reduce(
      (all, expression) => (expression === "" ? all : all.split(expression).join(this.#withoutValues(expression))),
      text,
    );
    return this.#named(this.#withoutValues(known), 4 * LONGEST_NAME);
  }

  /** A source line; null where there is none or none is wanted. */
  source(text: string | null): string | null {
    if (text === null || !this.options.source) return null;
    return this.#clip(text.replace(/\t/g, "    ").trimEnd(), LONGEST_LINE);
  }

  /** A file's path, from the program's directory on. */
  path(path: string | null): string {
    if (path === null) return "";
    const home = this.options.homes.find((one) => one !== "" && path.startsWith(`${one}/`));
    const short =
      home === undefined ? path.replace(/^.*\/lib\/python\d+\.zip\//, "<lib>/") : path.slice(home.length + 1);
    return this.#clip(short, LONGEST_NAME);
  }

  lastPart(path: string): string {
    return this.#clip(path.slice(path.lastIndexOf("/") + 1), LONGEST_NAME);
  }

  /** `function file:line`, as the commands print places. */
  place(
    place: { readonly function: string | null; readonly file: string | null; readonly line: number | null } | null,
  ): string {
    if (place === null || place.file === null) return "";
    return `${this.name(place.function)} ${this.path(place.file)}:${place.line ?? "?"}`;
  }

  /**
   * Subscripts of an expression that are not numbers become `[…]`, quoted text becomes `…`, and so does what an arrow points to (`.keys() → 'k'`).
   * Quotes and brackets inside of quotes are part of the value.
   */
  #withoutValues(text: string): string {
    let out = "";
    let i = 0;
    const hide = (as: string): void => {
      this.hidden++;
      out += as;
    };
    while (i < text.length) {
      const c = text[i]!;
      if (c === "→") {
        hide("→ …");
        break;
      }
      if ((c === "'" || c === '"') && !/[\p{L}\p{N}]$/u.test(out.replace(/(?<![\p{L}\p{N}_])[bBrRuU]{1,2}$/u, ""))) {
        hide("…");
        i = endOfQuote(text, i);
      } else if (c === "[") {
        const end = endOfSubscript(text, i);
        const inside = text.slice(i + 1, end - 1);
        if (/^-?\d+$/.test(inside) || inside === "" || inside === "…") out += text.slice(i, end);
        else hide(HIDDEN_VALUE);
        i = end;
      } else {
        out += c;
        i++;
      }
    }
    return out;
  }

  /** Text with names in it: one that is as long as a paragraph would fill the screen before anything is said. */
  #named(text: string, most: number): string {
    const short = text.slice(0, LONGEST_LOOK).replace(/[\p{L}\p{N}_]{61,}/gu, (word) => {
      const letters = [...word];
      if (letters.length <= LONGEST_WORD) return word;
      return `${letters.slice(0, LONGEST_WORD - WORD_END - 1).join("")}…${letters.slice(-WORD_END).join("")}`;
    });
    const isWhole = short.length === Math.min(text.length, LONGEST_LOOK) && text.length <= LONGEST_LOOK;
    return this.#clip(short, most, isWhole);
  }

  /** `isWhole`: false where something has been left out of the text already. */
  #clip(text: string, most: number, isWhole = true): string {
    const seen = printable(text.length > LONGEST_LOOK ? text.slice(0, LONGEST_LOOK) : text);
    if (seen.length <= most && text.length <= LONGEST_LOOK) {
      if (!isWhole) this.shortened++;
      return seen;
    }
    this.shortened++;
    return `${[...seen.slice(0, most - 1)].join("")}…`.replace(/[\ud800-\udbff]…$/, "…");
  }
}

/** Index after the quote that closes the one at `start`; the text's end where none does. */
function endOfQuote(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === text[start]) return i + 1;
  }
  return text.length;
}

/** Index after the bracket that closes the one at `start`; the text's end where none does. */
function endOfSubscript(text: string, start: number): number {
  let depth = 0;
  let quote = "";
  for (let i = start; i < text.length; i++) {
    const c = text[i]!;
    if (quote !== "") {
      if (c === "\\") i++;
      else if (c === quote) quote = "";
    } else if (c === "'" || c === '"') quote = c;
    else if (c === "[" || c === "(" || c === "{") depth++;
    else if ((c === "]" || c === ")" || c === "}") && --depth === 0) return i + 1;
  }
  return text.length;
}

/** A type with its module, unless that says nothing. */
export function typeName(
  words: Words,
  { type, module }: { readonly type: string; readonly module: string | null },
): string {
  return module === null || module === "builtins" || module === "__main__"
    ? words.name(type)
    : words.name(`${module}.${type}`);
}
