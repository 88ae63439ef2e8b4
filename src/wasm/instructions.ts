/**
 * Walking the instructions of a function body. The walker knows the immediates of every instruction of WebAssembly 2.0, tail
 * calls, threads and both generations of exception handling (specification, section 5.4); an opcode it does not know is
 * malformed, since guessing a length would turn the rest of the body into noise. SIMD (0xfd) is known by its immediates' shape.
 */
import type { Cursor } from "./reader.js";

export const Opcode = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  throw: 0x08,
  rethrow: 0x09,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  return: 0x0f,
  call: 0x10,
  call_indirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  try_table: 0x1f,
  local_get: 0x20,
  local_set: 0x21,
  local_tee: 0x22,
  global_get: 0x23,
  global_set: 0x24,
  i32_load: 0x28,
  i64_load: 0x29,
  i32_load8_u: 0x2d,
  i32_store: 0x36,
  i64_store: 0x37,
  i32_store8: 0x3a,
  i32_const: 0x41,
  i64_const: 0x42,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_u: 0x49,
  i32_gt_u: 0x4b,
  i32_ge_u: 0x4f,
  i32_ctz: 0x68,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i32_shr_u: 0x76,
} as const;

/** Moves the cursor from an instruction's opcode to the next instruction. Returns the opcode. */
export function skipInstruction(c: Cursor): number {
  const opcode = c.byte();
  if (opcode >= 0x45 && opcode <= 0xc4) return opcode; // comparisons, arithmetic, conversions
  if (opcode >= 0x28 && opcode <= 0x3e) {
    skipMemoryArgument(c);
    return opcode;
  }
  if (opcode >= 0x20 && opcode <= 0x26) {
    c.skipInteger(5); // local, global or table index
    return opcode;
  }
  switch (opcode) {
    case 0x00: // unreachable
    case 0x01: // nop
    case 0x05: // else
    case 0x0b: // end
    case 0x0f: // return
    case 0x19: // catch_all
    case 0x0a: // throw_ref
    case 0x1a: // drop
    case 0x1b: // select
    case 0xd1: // ref.is_null
      return opcode;
    case 0x02: // block
    case 0x03: // loop
    case 0x04: // if
    case 0x06: // try
    case 0xd0: // ref.null
      c.skipInteger(5); // block type or heap type: a signed 33-bit integer
      return opcode;
    case 0x07: // catch
    case 0x08: // throw
    case 0x09: // rethrow
    case 0x0c: // br
    case 0x0d: // br_if
    case 0x10: // call
    case 0x12: // return_call
    case 0x14: // call_ref
    case 0x18: // delegate
    case 0x3f: // memory.size
    case 0x40: // memory.grow
    case 0xd2: // ref.func
      c.skipInteger(5);
      return opcode;
    case 0x11: // call_indirect: type, table
    case 0x13: // return_call_indirect
      c.skipInteger(5);
      c.skipInteger(5);
      return opcode;
    case 0x0e: {
      for (let n = c.count() + 1; n > 0; n--) c.skipInteger(5);
      return opcode;
    }
    case 0x1c: {
      for (let n = c.count(); n > 0; n--) c.skipInteger(5);
      return opcode;
    }
    case 0x1f: {
      c.skipInteger(5);
      for (let n = c.count(); n > 0; n--) {
        const kind = c.byte();
        if (kind > 3) c.fail(`unknown catch clause ${kind}`);
        if (kind < 2) c.skipInteger(5); // tag
        c.skipInteger(5); // label
      }
      return opcode;
    }
    case 0x41:
      c.skipInteger(5);
      return opcode;
    case 0x42:
      c.skipInteger(10);
      return opcode;
    case 0x43:
      c.skip(4);
      return opcode;
    case 0x44:
      c.skip(8);
      return opcode;
    case 0xfc:
      skipMiscellaneous(c);
      return opcode;
    case 0xfd:
      skipVector(c);
      return opcode;
    case 0xfe: {
      const operation = c.u32();
      if (operation === 3)
        c.byte(); // atomic.fence
      else skipMemoryArgument(c);
      return opcode;
    }
    default:
      c.at--;
      return c.fail(`unknown instruction 0x${opcode.toString(16)}`);
  }
}

/** Alignment exponent and offset; bit 6 of the first says that a memory index stands between them. */
function skipMemoryArgument(c: Cursor): void {
  const align = c.u32();
  if (align & 0x40) c.skipInteger(5);
  c.skipInteger(10);
}

function skipMiscellaneous(c: Cursor): void {
  const operation = c.u32();
  if (operation <= 7) return; // saturating truncations
  if (operation > 17) c.fail(`unknown instruction 0xfc ${operation}`);
  const two = operation === 8 || operation === 10 || operation === 12 || operation === 14;
  c.skipInteger(5);
  if (two) c.skipInteger(5);
}

function skipVector(c: Cursor): void {
  const operation = c.u32();
  if (operation <= 11 || operation === 92 || operation === 93) skipMemoryArgument(c);
  else if (operation === 12 || operation === 13) c.skip(16);
  else if (operation >= 21 && operation <= 34) c.skip(1);
  else if (operation >= 84 && operation <= 91) {
    skipMemoryArgument(c);
    c.skip(1);
  } else if (operation > 275) c.fail(`unknown instruction 0xfd ${operation}`);
}
