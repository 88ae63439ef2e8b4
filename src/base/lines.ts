/** The lines of a source, without the nothing behind its last line's end. */
export function sourceLines(text: string): string[] {
  const lines = text.split(/\r\n|\r|\n/);
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}
