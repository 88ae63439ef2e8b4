/** See src/base/quantity.ts: reports need them too. */
export * from "../base/quantity.js";
