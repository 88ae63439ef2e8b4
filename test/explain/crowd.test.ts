/** A line that makes more objects than `explain` has room for must not cost what variables name: before it, after it, in the midst of it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { roundsOf, type Told, teller } from "./told.js";

const { tell, close } = teller();
afterAll(close);

const births = ({ explanation }: Told, line: number, name: string): number =>
  roundsOf(explanation, line, name).filter(({ changes }) => changes.some(({ by }) => by === "birth")).length;

describe("a module that makes 50,000 objects", () => {
  let told: Told;
  beforeAll(async () => {
    const crowd = "kept = [[] for _ in range(50_000)]\nclass Late: pass\nlate = Late()\nlate.list = [late]\n";
    const program = [
      "import crowd",
      "from crowd import late",
      "def f(a):",
      "    b = [a]",
      "    return b",
      "x = [1]",
      "w = f(x)",
      "many = [[] for _ in range(50_000)] + [x]",
      "last = many[-2]",
      "after = [last]",
    ];
    told = await tell(`${program.join("\n")}\n`, { "crowd.py": crowd });
  }, 120_000);

  it("has the birth of what the program's lines make after it, and of what they name of it", () => {
    for (const [line, name] of [
      [1, "crowd"],
      [1, "late"],
      [3, "f"],
      [4, "f.b"],
      [6, "x"],
      [8, "many"],
      [8, "last"],
      [10, "after"],
    ] as const)
      expect(births(told, line, name), `birth of ${name} on line ${line}`).toBe(1);
    expect(told.text).toMatch(/^ 5 {2}.*return b\n +list #\d+ `w` `f.b` {2}1 → 2:/m);
  });

  it("says nothing of objects that are not told of anyway", () => {
    expect(told.explanation.leftOut).toBe(0);
    expect(told.text).not.toMatch(/too many/);
  });
});
