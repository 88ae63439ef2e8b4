/**
 * One terminal for two writers: the program, from its worker, and the progress line, from the main thread. Two shared words keep
 * them apart: whether the line is on the screen (the program's thread wipes it before it writes), and whether the program stands in
 * the middle of a line of its own (then the progress line waits, or a prompt would be lost; and what is said at the end begins a new one,
 * also where standard error is no terminal).
 */
import { writeSync } from "node:fs";

const SHOWN = 0;
const MID_LINE = 1;
const WIPE = "\r\x1b[K";
const NEWLINE = 10;

export const createLine = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

/** On the program's thread, before it writes to a terminal or to standard error. */
export function giveWay(line: Int32Array, bytes: Uint8Array): void {
  if (Atomics.exchange(line, SHOWN, 0) === 1) writeSync(2, WIPE);
  if (bytes.length > 0) Atomics.store(line, MID_LINE, bytes[bytes.length - 1] === NEWLINE ? 0 : 1);
}

/** On the main thread: shows `text` on standard error, a terminal, unless the program is in the middle of a line. */
export function showLine(line: Int32Array, text: string): void {
  if (Atomics.load(line, MID_LINE) !== 0) return;
  Atomics.store(line, SHOWN, 1);
  writeSync(2, `\r${text}\x1b[K`);
}

/** When the program is over: begins a new line on standard error if it ended in the middle of one. */
export function endLine(line: Int32Array): void {
  if (Atomics.exchange(line, MID_LINE, 0) !== 0) writeSync(2, "\n");
}

export function hideLine(line: Int32Array): void {
  if (Atomics.exchange(line, SHOWN, 0) === 1) writeSync(2, WIPE);
}
