/** All that can be asked of a module, for tests of damaged ones. */
import { functionIndex } from "../../src/wasm/indices.js";
import { skipInstruction } from "../../src/wasm/instructions.js";
import { WasmModule } from "../../src/wasm/module.js";
import { MalformedModule } from "../../src/wasm/reader.js";

/** Reads all that can be read; gives the Failure, or nothing when the module is sound as far as it is looked at. */
export function readAll(bytes: Uint8Array): MalformedModule | undefined {
  try {
    const module = new WasmModule(bytes);
    module.tableSize();
    module.memoryLimits();
    module.dataSegments();
    module.tableFunctions();
    for (const { name } of module.exports) module.exportedConstant(name);
    for (let f = module.importedFunctionCount; f < module.functionCount; f++) {
      const c = module.code(functionIndex(f));
      while (!c.done) skipInstruction(c);
    }
    module.emit();
    return undefined;
  } catch (error) {
    if (error instanceof MalformedModule) return error;
    throw new Error(`expected MalformedModule, got ${(error as Error).stack}`);
  }
}
