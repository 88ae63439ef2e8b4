/**
 * JavaScript functions as WebAssembly functions, so that they can stand in a function table: a module of nothing but imports,
 * each exported again. An imported function that is exported is a WebAssembly function (JavaScript interface, "create a host
 * function"), and Node 20 has no other way, since it lacks the type reflection proposal.
 */
import { ByteWriter } from "../base/bytes.js";
import { ExternalKind, type ValueType } from "./indices.js";

export interface BridgedFunction {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly call: (...values: number[]) => number | undefined;
}

/** Returns the functions of `all` under the same names, callable from WebAssembly through a table. */
export function bridge<Names extends string>(
  all: Readonly<Record<Names, BridgedFunction>>,
): Record<Names, CallableFunction> {
  const names = Object.keys(all) as Names[];
  const section = (out: ByteWriter, id: number, write: (body: ByteWriter) => void): void => {
    const body = new ByteWriter();
    write(body);
    out.byte(id);
    out.unsigned(body.length);
    out.bytes(body.view());
  };
  const out = new ByteWriter();
  out.bytes(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  section(out, 1, (types) => {
    types.unsigned(names.length);
    for (const name of names) {
      types.byte(0x60);
      for (const half of [all[name].parameters, all[name].results]) {
        types.unsigned(half.length);
        for (const t of half) types.byte(t);
      }
    }
  });
  section(out, 2, (imports) => {
    imports.unsigned(names.length);
    names.forEach((name, i) => {
      imports.name("host");
      imports.name(name);
      imports.byte(ExternalKind.function);
      imports.unsigned(i);
    });
  });
  section(out, 7, (exports) => {
    exports.unsigned(names.length);
    names.forEach((name, i) => {
      exports.name(name);
      exports.byte(ExternalKind.function);
      exports.unsigned(i);
    });
  });
  const host = Object.fromEntries(names.map((name) => [name, all[name].call]));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(out.take() as BufferSource), {
    host,
  } as WebAssembly.Imports);
  return instance.exports as Record<Names, CallableFunction>;
}
