/** Names of instructions as the interpreter itself has them. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { plain } from "../../test/support/plain.js";
import { Failure } from "../base/failure.js";
import { interpreterFiles } from "./main-thread.js";
import { parseOpcodeNames, readOpcodeNames } from "./opcodes.js";

describe("opcode names", () => {
  const names = readOpcodeNames(new Uint8Array(readFileSync(interpreterFiles().standardLibrary)));

  it("are those of dis and opcode, specialised ones under the name of what they stand for", () => {
    const code = `
import dis, json, opcode
print(json.dumps([dis.opmap, opcode._specialized_opmap, opcode._specializations]))
`;
    const { out, err } = plain(["-c", code]);
    expect(err).toBe("");
    type Numbers = Record<string, number>;
    const [opmap, specialised, families] = JSON.parse(out) as [Numbers, Numbers, Record<string, string[]>];
    const expected: (string | undefined)[] = new Array(256);
    for (const [name, number] of Object.entries({ ...opmap, ...specialised }))
      if (number < 256) expected[number] = name;
    for (const [family, members] of Object.entries(families))
      for (const member of members) expected[{ ...opmap, ...specialised }[member]!] = family;
    expect(Object.keys(specialised).length).toBeGreaterThan(50);
    expect([...names]).toEqual([...expected]);
  });

  it("of another form are an answer, not a crash", () => {
    expect(() => parseOpcodeNames("opmap = None")).toThrow(Failure);
    expect(() => readOpcodeNames(Uint8Array.from([80, 75, 5, 6, ...Array<number>(18).fill(0)]))).toThrow(
      /has no _opcode_metadata/,
    );
  });
});
