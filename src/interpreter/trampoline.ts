/**
 * Calls of C functions with more arguments than they take. CPython calls every method as `f(self, args, keywords)`; where a function
 * declares fewer parameters, native machines do not mind, and wasm traps. CPython's answer on this platform is a trampoline
 * (Python/emscripten_trampoline.c): a wasm function that tests the callee's type where the engine has garbage-collected
 * types, and a call through JavaScript where it has not, which is Node 20's case (measured: 400,000 calls of `list.append` and `pop`
 * take 54 to 66 ms that way and 46 to 51 ms this way).
 *
 * This trampoline is a wasm function on every engine. It keeps one byte for each slot of the function table, in a memory of its own: the
 * number of parameters plus 1, or 0 while nobody has asked. Asking is a call to JavaScript, once a slot.
 *
 *     trampoline(success, f, a, b, c):
 *         known = f < 65536 ? byte[f] : 0
 *         if known == 0: known = learn(f)
 *         known == 4: f(a, b, c)    3: f(a, b)    2: f(a)    otherwise: f()
 */
import { ByteWriter } from "../base/bytes.js";
import type { Guest } from "./guest.js";

const i32 = 0x7f;
const slots = 65536;

/** Local variables of the trampoline: its parameters, and `known`. */
const [functionPointer, first, second, third, known] = [1, 2, 3, 4, 5];
const op = {
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  callIndirect: 0x11,
  call: 0x10,
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  load8: 0x2d,
  const: 0x41,
  equal: 0x46,
  equalZero: 0x45,
  lessUnsigned: 0x49,
};
/** Type indices: the trampoline, `learn`, and functions of 0 to 3 parameters. */
const type = { trampoline: 0, learn: 1, of: [2, 1, 3, 4] };

function callWith(parameters: number[]): number[] {
  return [
    ...parameters.flatMap((local) => [op.get, local]),
    op.get,
    functionPointer,
    op.callIndirect,
    type.of[parameters.length]!,
    0,
  ];
}

const isKnown = (value: number): number[] => [op.get, known, op.const, value, op.equal, op.if, i32];

const body: number[] = [
  ...[1, 1, i32], // one local variable
  ...[op.get, functionPointer, op.const, 0x80, 0x80, 0x04, op.lessUnsigned],
  ...[op.if, i32, op.get, functionPointer, op.load8, 0, 0, op.else, op.const, 0, op.end],
  ...[op.tee, known, op.equalZero],
  ...[op.if, 0x40, op.get, functionPointer, op.call, 0, op.set, known, op.end],
  ...isKnown(4),
  ...callWith([first, second, third]),
  op.else,
  ...isKnown(3),
  ...callWith([first, second]),
  op.else,
  ...isKnown(2),
  ...callWith([first]),
  op.else,
  ...callWith([]),
  ...[op.end, op.end, op.end, op.end],
];

/** The bytes of the trampoline's module. Imports `m.table` and `m.learn`, exports `trampoline` and `memory`. */
export function trampolineModule(): Uint8Array<ArrayBuffer> {
  const functionType = (parameters: number): number[] => [
    0x60,
    parameters,
    ...Array<number>(parameters).fill(i32),
    1,
    i32,
  ];
  const name = (text: string): number[] => [text.length, ...Buffer.from(text)];
  const sections: [number, number[]][] = [
    [1, [5, ...[5, 1, 0, 2, 3].flatMap(functionType)]],
    [2, [2, ...name("m"), ...name("learn"), 0, type.learn, ...name("m"), ...name("table"), 1, 0x70, 0, 0]],
    [3, [1, type.trampoline]],
    [5, [1, 0, slots / 65536]],
    [7, [2, ...name("trampoline"), 0, 1, ...name("memory"), 2, 0]],
  ];
  const out = new ByteWriter();
  out.bytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  for (const [id, content] of sections) {
    out.byte(id);
    out.unsigned(content.length);
    out.bytes(Uint8Array.from(content));
  }
  const code = new ByteWriter();
  code.unsigned(1);
  code.unsigned(body.length);
  code.bytes(Uint8Array.from(body));
  out.byte(10);
  out.unsigned(code.length);
  out.bytes(code.take());
  return out.take() as Uint8Array<ArrayBuffer>;
}

/** Makes the interpreter use the trampoline. To be called after the module's constructors, before CPython starts. */
export function installTrampoline(guest: Guest): void {
  let bytes: Uint8Array | undefined;
  const learn = (pointer: number): number => {
    // An empty slot is called with three arguments, and traps as it should.
    const parameters = guest.table.get(pointer)?.length ?? 3;
    const value = Math.min(parameters, 3) + 1;
    if (pointer >>> 0 < slots) bytes![pointer] = value;
    return value;
  };
  const module = new WebAssembly.Module(trampolineModule());
  const { exports } = new WebAssembly.Instance(module, { m: { table: guest.table.table, learn } });
  bytes = new Uint8Array((exports["memory"] as WebAssembly.Memory).buffer);
  guest.table.onChange = (index) => {
    if (index < slots) bytes[index] = 0;
  };
  const pointer = guest.table.reserve();
  guest.table.set(pointer, exports["trampoline"] as () => number);
  const field = guest.memory.u32(guest.address("_PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET"));
  guest.memory.setU32(guest.address("_PyRuntime") + field, pointer);
}
