/** See src/base/printable.ts: reports need it too. */
export { printable } from "../base/printable.js";
