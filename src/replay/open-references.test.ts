/** References as the interpreter takes and gives them up, and which of them are then held to be open. */
import { describe, expect, it } from "vitest";
import { givenUpBy, isLoad, isOverwriting, OpenList, takenFor } from "./open-references.js";

/** An instruction in a function; `by`: the C function that wrote the count. */
interface Step {
  readonly change: 1 | -1;
  readonly opcode: string;
  readonly line: number;
  readonly in: string;
  readonly by?: string;
}

const up = (opcode: string, line: number, name = "f", by?: string): Step => ({
  change: 1,
  opcode,
  line,
  in: name,
  ...(by ? { by } : {}),
});
const down = (opcode: string, line: number, name = "f", by?: string): Step => ({
  ...up(opcode, line, name, by),
  change: -1,
});

/** What is open after the object's birth in line 1 of f and these steps: lines, marked "?" where it is a guess. */
function openAfter(steps: readonly Step[], elsewhere = 0): string[] {
  const list = new OpenList();
  const born = {
    ...({ event: 0, kind: "birth", location: 1, site: 0, line: 1, function: "f", heldBy: "stack" } as const),
    loaded: false,
  };
  if (elsewhere === 0) list.push(born);
  steps.forEach(({ change, opcode, line, in: name, by = null }, i) => {
    const before = steps[i - 1];
    const isSame = before?.change === 1 && before.opcode === opcode && before.line === line;
    if (change > 0)
      list.push({
        ...{ ...born, event: i, kind: "incref", line, function: name, heldBy: takenFor(opcode, by) },
        loaded: isLoad(opcode),
      });
    else {
      const heldBy = givenUpBy(opcode, by, isSame);
      list.close({ line, function: name, heldBy, overwrites: isOverwriting(opcode) }, elsewhere);
    }
  });
  return list.list().map(({ line, sure }) => `${line}${sure ? "" : "?"}`);
}

describe("open references", () => {
  it("are of the place that stores, when the function ends that made the object", () => {
    // self.friend = x; return: what goes is the local variable's, which the birth made.
    expect(openAfter([up("STORE_ATTR", 2), down("RETURN_VALUE", 3)])).toEqual(["2"]);
  });

  it("are none that only looked a name up, whatever C function did that", () => {
    // x = Thing(), then f(x) twice in a module, where each use of a name is a lookup in a dict.
    const bound = [up("STORE_NAME", 1, "f", "PyDict_SetItem"), down("STORE_NAME", 1)];
    const used = [2, 3].flatMap((line) => [up("LOAD_NAME", line, "f", "PyDict_GetItemRef"), down("CALL", line)]);
    expect(openAfter([...bound, ...used])).toEqual(["1"]);
    const listed = [up("LOAD_NAME", 4, "f", "PyDict_GetItemRef"), ...used];
    expect(openAfter([...bound, ...listed])).toEqual(["1", "4"]);
  });

  it("are none of a variable that gets another value: what its line loaded was handed on without a change", () => {
    // except E as e: d[k] = e, and e = None behind it, on the same line by the line table.
    expect(openAfter([up("LOAD_FAST", 2), down("STORE_FAST", 2)])).toEqual(["2"]);
    // x = x
    expect(openAfter([up("LOAD_FAST", 2), down("STORE_FAST", 2), up("LOAD_FAST", 2), down("STORE_FAST", 2)])).toEqual([
      "2",
    ]);
  });

  it("are those of a module's name when it gets another value, wherever that is", () => {
    // except E as e: errors.append(e), and e = None behind it, on the same line.
    const bound = up("STORE_NAME", 2, "<module>", "PyDict_SetItem");
    const listed = up("LOAD_NAME", 3, "<module>", "PyDict_GetItemRef");
    expect(openAfter([bound, down("POP_TOP", 2), listed, down("STORE_NAME", 3, "<module>")])).toEqual(["3"]);
  });

  it("are of the place that a value was moved to", () => {
    // d[k] = Thing(): STORE_SUBSCR takes one and drops the stack's in the same instruction.
    expect(openAfter([up("STORE_SUBSCR", 1), down("STORE_SUBSCR", 1)])).toEqual(["1"]);
    expect(openAfter([up("STORE_SUBSCR", 2), down("STORE_SUBSCR", 2), down("DELETE_SUBSCR", 9, "g")])).toEqual([]);
  });

  it("go with the container that took them", () => {
    const taken = [
      up("BUILD_TUPLE", 2),
      up("STORE_SUBSCR", 3),
      up("CALL", 4, "f", "list.append"),
      down("RETURN_VALUE", 5),
    ];
    expect(openAfter(taken)).toEqual(["2", "3", "4"]);
    expect(openAfter([...taken, down("CALL", 9, "g", "tuple.tp_dealloc")])).toEqual(["3", "4"]);
    // Of a dict or of a list: that it was the dict's is a guess.
    expect(openAfter([...taken, down("DELETE_SUBSCR", 9, "g")])).toEqual(["2", "4?"]);
    expect(openAfter([...taken, down("CALL", 9, "g", "list.pop")])).toEqual(["2", "3"]);
    expect(openAfter([...taken, down("STORE_FAST", 9, "g", "dict.tp_dealloc")])).toEqual(["2", "4"]);
  });

  it("that a function hands over are given up by its caller", () => {
    const handed = [up("STORE_SUBSCR", 2), up("RETURN_VALUE", 3), down("CALL", 8, "g"), down("STORE_FAST", 9, "g")];
    expect(openAfter(handed)).toEqual(["2"]);
  });

  it("are a guess where two of a kind could be meant, and the number is right all the same", () => {
    const two = [up("STORE_ATTR", 2), up("STORE_ATTR", 3), down("RETURN_VALUE", 4)];
    expect(openAfter([...two, down("STORE_FAST", 9, "g", "PyObject_ClearManagedDict")])).toEqual(["3?"]);
    expect(openAfter([up("CALL", 2, "f", "some_c_function"), down("POP_TOP", 9, "g")])).toHaveLength(1);
    expect(openAfter([up("CALL", 2, "f", "some_c_function"), down("POP_TOP", 9, "g")])[0]).toContain("?");
  });

  it("from before the ledger go first where the line does not tell", () => {
    expect(openAfter([up("STORE_ATTR", 2), down("POP_TOP", 9, "g")], 1)).toEqual(["2"]);
    expect(openAfter([up("LOAD_FAST", 2), down("POP_TOP", 2)], 1)).toEqual([]);
  });

  it("are never more or fewer than taken less given up", () => {
    const opcodes = ["STORE_ATTR", "LOAD_FAST", "BUILD_TUPLE", "LIST_APPEND", "STORE_SUBSCR", "CALL"];
    const functions = [undefined, "list.append", "tuple.tp_dealloc", "unknown", "_PyEval_EvalFrameDefault"];
    let state = 12345;
    const random = (n: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % n;
    };
    for (let round = 0; round < 200; round++) {
      const steps: Step[] = [];
      let count = 1;
      for (let i = 0; i < 60; i++) {
        const isUp = count === 0 || random(2) === 0;
        count += isUp ? 1 : -1;
        const step = (isUp ? up : down)(opcodes[random(6)]!, random(8), `f${random(3)}`, functions[random(5)]);
        steps.push(step);
      }
      expect(openAfter(steps)).toHaveLength(count);
    }
  });
});
