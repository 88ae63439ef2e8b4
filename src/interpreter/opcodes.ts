/**
 * Names of instructions. The numbers belong to one version of CPython and stand in its own library (`Lib/_opcode_metadata.py`),
 * so they are read from there. A specialised instruction answers with the name of the one that it stands for.
 */
import { unzipSync } from "fflate";
import { Failure } from "../base/failure.js";

/** Name of each opcode by number, unspecialised; undefined where the number is not in use. */
export function readOpcodeNames(standardLibrary: Uint8Array): (string | undefined)[] {
  const wanted = "_opcode_metadata.py";
  const file = unzipSync(standardLibrary, { filter: (entry) => entry.name === wanted })[wanted];
  if (!file) throw new Failure(`the interpreter's library has no ${wanted}; reinstall the package pyodide`);
  return parseOpcodeNames(new TextDecoder().decode(file));
}

export function parseOpcodeNames(source: string): (string | undefined)[] {
  const base = new Map<string, string>();
  const specialisations = /_specializations = \{([\s\S]*?)\n\}/.exec(source)?.[1] ?? "";
  for (const [, family, members] of specialisations.matchAll(/["'](\w+)["']: \[([\s\S]*?)\]/g))
    for (const [, member] of members.matchAll(/["'](\w+)["']/g)) base.set(member, family);
  const names: (string | undefined)[] = new Array(256);
  for (const table of ["_specialized_opmap", "opmap"]) {
    const body = new RegExp(`(?:^|\\n)${table} = \\{([\\s\\S]*?)\\n\\}`).exec(source)?.[1];
    if (body === undefined)
      throw new Failure("the interpreter's table of opcodes has an unknown form; reinstall the package pyodide");
    for (const [, name, number] of body.matchAll(/["'](\w+)["']: (\d+)/g))
      if (Number(number) < 256) names[Number(number)] = base.get(name) ?? name;
  }
  return names;
}
