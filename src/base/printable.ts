/**
 * Names in a trace were chosen by the recorded program, and a trace may be a stranger's: before they reach a terminal,
 * everything that steers one, or turns text around or hides it, becomes a visible escape.
 *
 * Escaped: C0 and C1 controls and DEL (escape sequences begin with one), bidirectional marks, embeddings and isolates (Unicode
 * Standard Annex #9), line and paragraph separators, zero-width characters, tag characters and lone surrogates.
 */
const HIDDEN =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

export function printable(text: unknown): string {
  return String(text).replace(HIDDEN, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\u{${code.toString(16)}}`;
  });
}

/** The same for text of several lines, such as what a program printed: line feeds and tabs stay. */
export const printableLines = (text: string): string =>
  text
    .split(/([\n\t])/)
    .map((part, i) => (i % 2 ? part : printable(part)))
    .join("");
