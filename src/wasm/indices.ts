import type { Branded } from "../base/ids.js";

/**
 * The index spaces of a WebAssembly module (specification, section 2.5.1). Imported functions and globals come first in their
 * space; appending at the end leaves every index that exists as it was.
 */
export type TypeIndex = Branded<"TypeIndex">;
export type FunctionIndex = Branded<"FunctionIndex">;
export type GlobalIndex = Branded<"GlobalIndex">;
export type TableIndex = Branded<"TableIndex">;

export const typeIndex = (n: number): TypeIndex => n as TypeIndex;
export const functionIndex = (n: number): FunctionIndex => n as FunctionIndex;
export const globalIndex = (n: number): GlobalIndex => n as GlobalIndex;
export const tableIndex = (n: number): TableIndex => n as TableIndex;

/** Value types by their byte in the binary format (section 5.3.1). */
export const ValueType = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
export type ValueType = (typeof ValueType)[keyof typeof ValueType];

/** Kinds of imports and exports (section 5.5.5). */
export const ExternalKind = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
export type ExternalKind = (typeof ExternalKind)[keyof typeof ExternalKind];
