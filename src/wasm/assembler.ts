/**
 * Writing function bodies by hand: one method an instruction, named as in the text format with `_` for `.`. The assembler checks
 * nothing but that every block is closed; the engine validates the rest when the module is compiled.
 */
import { ByteWriter } from "../base/bytes.js";
import { assert } from "../base/failure.js";
import type { FunctionIndex, GlobalIndex, TypeIndex } from "./indices.js";
import { Opcode } from "./instructions.js";

/** Labels count outwards from the innermost block, 0 first. */
export class Assembler {
  readonly #out = new ByteWriter(256);
  #open = 1;

  raw(bytes: Uint8Array): this {
    this.#out.bytes(bytes);
    return this;
  }

  op(opcode: number): this {
    this.#out.byte(opcode);
    return this;
  }

  #indexed(opcode: number, index: number): this {
    this.#out.byte(opcode);
    this.#out.unsigned(index);
    return this;
  }

  get(local: number): this {
    return this.#indexed(Opcode.local_get, local);
  }
  set(local: number): this {
    return this.#indexed(Opcode.local_set, local);
  }
  tee(local: number): this {
    return this.#indexed(Opcode.local_tee, local);
  }
  global_get(index: GlobalIndex): this {
    return this.#indexed(Opcode.global_get, index);
  }
  global_set(index: GlobalIndex): this {
    return this.#indexed(Opcode.global_set, index);
  }
  call(f: FunctionIndex): this {
    return this.#indexed(Opcode.call, f);
  }
  call_indirect(type: TypeIndex): this {
    this.#indexed(Opcode.call_indirect, type);
    this.#out.byte(0);
    return this;
  }
  br(label: number): this {
    return this.#indexed(Opcode.br, label);
  }
  br_if(label: number): this {
    return this.#indexed(Opcode.br_if, label);
  }

  i32(value: number): this {
    this.#out.byte(Opcode.i32_const);
    this.#out.signed(value);
    return this;
  }

  #memory(opcode: number, align: number, offset: number): this {
    this.#out.byte(opcode);
    this.#out.unsigned(align);
    this.#out.unsigned(offset);
    return this;
  }
  load(offset = 0): this {
    return this.#memory(Opcode.i32_load, 2, offset);
  }
  /** A load whose address need not be a multiple of four. */
  load_unaligned(offset: number): this {
    return this.#memory(Opcode.i32_load, 0, offset);
  }
  load8(offset = 0): this {
    return this.#memory(Opcode.i32_load8_u, 0, offset);
  }
  store(offset = 0): this {
    return this.#memory(Opcode.i32_store, 2, offset);
  }
  store_unaligned(offset: number): this {
    return this.#memory(Opcode.i32_store, 0, offset);
  }

  add(): this {
    return this.op(Opcode.i32_add);
  }
  sub(): this {
    return this.op(Opcode.i32_sub);
  }
  and(): this {
    return this.op(Opcode.i32_and);
  }
  or(): this {
    return this.op(Opcode.i32_or);
  }
  shl(): this {
    return this.op(Opcode.i32_shl);
  }
  shr(): this {
    return this.op(Opcode.i32_shr_u);
  }
  eq(): this {
    return this.op(Opcode.i32_eq);
  }
  ne(): this {
    return this.op(Opcode.i32_ne);
  }
  eqz(): this {
    return this.op(Opcode.i32_eqz);
  }
  ge(): this {
    return this.op(Opcode.i32_ge_u);
  }
  lt_s(): this {
    return this.op(0x48);
  }
  lt(): this {
    return this.op(Opcode.i32_lt_u);
  }
  drop(): this {
    return this.op(Opcode.drop);
  }
  return(): this {
    return this.op(Opcode.return);
  }

  /** A block without parameters and results. */
  block(): this {
    this.#open++;
    return this.op(Opcode.block).op(0x40);
  }
  if(): this {
    this.#open++;
    return this.op(Opcode.if).op(0x40);
  }
  else(): this {
    return this.op(Opcode.else);
  }
  end(): this {
    this.#open--;
    return this.op(Opcode.end);
  }

  /** The body with `locals` i32 locals behind the parameters; closes the function. */
  body(locals: number): Uint8Array {
    this.end();
    assert(this.#open === 0, "a block left open");
    const out = new ByteWriter(this.#out.length + 8);
    out.unsigned(locals > 0 ? 1 : 0);
    if (locals > 0) {
      out.unsigned(locals);
      out.byte(0x7f);
    }
    out.bytes(this.#out.view());
    return out.take();
  }

  /** The instructions alone, to be put between others. */
  fragment(): Uint8Array {
    return this.#out.take();
  }
}
