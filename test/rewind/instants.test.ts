/**
 * Where and when the past is answered: at the end of the bytecode under way, and in the function that ran at the instant, whatever it
 * has called by then; else it is said. The random instants' seed is in the test's name.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventNumber, openReplay, Past, type Replay, resolveTime, survey } from "../../dist/index.js";
import { cache, refledger } from "../support/recording.js";
import { seed } from "../support/seed.js";

const instants = Number(process.env["REFLEDGER_INSTANTS"] ?? 60);

const program = `class Session: pass
def loop():
    sessions = []
    for i in range(300):
        s = Session()
        sessions.append(s)
    return sessions
def cells(n):
    def inner():
        return n + 1
    return inner()
def squares(n):
    for k in range(n):
        yield k * k
def negative(x):
    return -x
def calls():
    total = 0
    for k in squares(20):
        total += cells(k)
    return sorted(range(10), key=negative)
loop()
calls()
`;

let folder: string;
let trace: string;
let past: Past;
let replay: Replay;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "refledger-instants-"));
  writeFileSync(join(folder, "app.py"), program);
  trace = join(folder, "app.trace.db");
  const { code, err } = await refledger(["record", "-q", "-o", trace, "app.py"], { cwd: folder });
  expect([code, err]).toEqual([0, ""]);
  past = await Past.enter(trace, { cache });
  replay = openReplay(trace);
});
afterAll(async () => {
  await past?.close();
  replay?.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (time: string) => resolveTime(replay, time);

describe("an instant", () => {
  it("in a loop that calls nothing is reached in its own turn", async () => {
    for (const [line, nth, value] of [
      [6, 1, "(0, 0)"],
      [6, 2, "(1, 1)"],
      [6, 3, "(2, 2)"],
      [6, 150, "(149, 149)"],
      [6, 300, "(299, 299)"],
      [7, 1, "(299, 300)"],
    ] as const) {
      await past.goTo(at(`line:app.py:${line}[${nth}]`));
      expect(await past.evaluate("(i, len(sessions))")).toMatchObject({ ok: true, text: value, note: null });
    }
  });

  it("right after a call is in the function that was entered, also where it has cells to make first", async () => {
    await past.goTo(at("call:cells[3]"));
    const answer = await past.evaluate("n");
    expect(answer).toMatchObject({ ok: true, text: "4" });
    expect(answer.where).toMatch(/^cells \(/);
  });

  it(`at random is answered where it was, when the bytecode is done (REFLEDGER_SEED=${seed})`, async () => {
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    const [first, last] = [at("call:loop"), at("line:app.py:23")];
    const times = Array.from({ length: instants }, () => first + Math.floor(random() * (replay.end - first)));
    // Half of them where there are calls.
    for (let i = 0; i < times.length; i += 2) times[i] = last + Math.floor(random() * (replay.end - last));
    for (const time of times.sort((x, y) => x - y)) {
      const what = { seed, time };
      const place = (event: number) => {
        const { columns, row } = replay.event(eventNumber(event));
        return replay.names.place(columns.location[row]!);
      };
      replay.seek(eventNumber(time));
      const running = survey(replay).stack[0]?.function;
      await past.goTo(eventNumber(time));
      const answer = await past.evaluate("1");
      if (!answer.left) {
        expect({ ...what, where: answer.where?.replace(/ \(.*/, "") }).toEqual({ ...what, where: running });
        expect({ ...what, ok: answer.ok }).toEqual({ ...what, ok: true });
      } else {
        expect({ ...what, ok: answer.ok, text: answer.text }).toMatchObject({
          ...what,
          ok: false,
          text: expect.stringMatching(
            new RegExp(`^${running} was about to return at #${time}, .*--time '#${answer.event}'`),
          ),
        });
      }
      // Of one bytecode, and of those that make the cells of a function that it calls.
      const between = new Set<string>();
      for (let event = time; event < answer.event && !answer.left; event++) {
        const { function: name, line, opcode } = place(event);
        if (!/^(MAKE_CELL|COPY_FREE_VARS)$/.test(opcode!)) between.add(`${name}:${line} ${opcode}`);
      }
      expect({ ...what, between: [...between].slice(1) }).toEqual({ ...what, between: [] });
      expect(answer.note === null).toBe(answer.left || answer.event === time);
    }
  });

  it("whose function returns before Python can be asked is refused, for that would be another function's answer", async () => {
    // What a function returns is counted first, then it is left, in one bytecode.
    const left = at("line:app.py:7") + 1;
    const asked = await refledger(["eval", trace, "--time", `#${left}`, "i"]);
    expect([asked.out, asked.code]).toEqual(["", 1]);
    expect(asked.err).toMatch(
      /^refledger: loop was about to return at #\d+, and Python can only be asked after that, .*\n$/,
    );
    const module = await refledger(["eval", trace, "--time", `#${left}`, "--module", "__main__", "__name__"]);
    expect([module.out, module.code]).toEqual(["'__main__'\n", 0]);
    expect(module.err).toMatch(/^refledger: #\d+ is answered at #\d+, \d+ events? later, .* in module __main__\n$/);
    const shell = await refledger(["shell", trace, "--time", `#${left}`], { input: "1\n" });
    expect([shell.out, shell.code]).toEqual(["", 1]);
  });

  it("in the middle of a bytecode is answered with a word about it", async () => {
    const start = at("line:app.py:5[10]");
    let note: string | undefined;
    let event = start as number;
    while (note === undefined) {
      await past.goTo(eventNumber(++event));
      note = (await past.evaluate("i")).note ?? undefined;
    }
    const { out, err, code } = await refledger(["eval", trace, "--time", `#${event}`, "i"]);
    expect([out, err, code]).toEqual(["9\n", `refledger: ${note}\n`, 0]);
    expect(note).toMatch(
      /^#\d+ is answered at #\d+, \d+ events? later, when the bytecode under way in loop is done, in loop \(.*app\.py:5\)$/,
    );
    const why = await refledger(["why", trace, "--time", `#${event}`, "expr:sessions"]);
    expect([why.err, why.code]).toEqual([`refledger: ${note}\n`, 0]);
  });
});
