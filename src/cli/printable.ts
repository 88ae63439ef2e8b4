/** See src/base/printable.ts: reports need it too. */
export { printable, printableLines } from "../base/printable.js";
