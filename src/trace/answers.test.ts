import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { execute, readElsewhere, writeSample } from "../../test/support/sample-trace.js";
import { keep, keepBytes, recall, recallBytes } from "./answers.js";
import { TraceReader } from "./reader.js";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "refledger-answers-"));
  path = join(folder, "a.trace.db");
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true, force: true });
});

function withTrace<R>(work: (reader: TraceReader) => R): R {
  const reader = TraceReader.open(path);
  try {
    return work(reader);
  } finally {
    reader.close();
  }
}

it("keeps an answer until it is replaced, and tells questions apart", () => {
  writeSample(path);
  withTrace((reader) => {
    expect(recall(reader, "leaks", "1")).toBeUndefined();
    expect(keep(reader, "leaks", "1", { findings: ["x"] })).toBe(true);
    expect(keepBytes(reader, "graph at 5", "1", Uint8Array.of(1, 2, 3))).toBe(true);
  });
  withTrace((reader) => {
    expect(recall(reader, "leaks", "1")).toEqual({ findings: ["x"] });
    expect(recallBytes(reader, "graph at 5", "1")).toEqual(Uint8Array.of(1, 2, 3));
    expect(recall(reader, "leaks", "2"), "another version of the code").toBeUndefined();
    keep(reader, "leaks", "2", []);
    expect(recall(reader, "leaks", "2")).toEqual([]);
  });
});

it("forgets answers about other events", () => {
  writeSample(path);
  withTrace((reader) => keep(reader, "leaks", "1", 1));
  execute(path, "UPDATE chunks SET hash = hash + 1 WHERE id = (SELECT max(id) FROM chunks)");
  expect(withTrace((reader) => recall(reader, "leaks", "1"))).toBeUndefined();
});

it("answers nothing from damaged or missing tables", () => {
  writeSample(path);
  withTrace((reader) => keep(reader, "leaks", "1", 1));
  execute(path, "UPDATE answers SET data = x'00112233445566'");
  expect(withTrace((reader) => recall(reader, "leaks", "1"))).toBeUndefined();
  execute(path, "DROP TABLE answers");
  expect(withTrace((reader) => recall(reader, "leaks", "1"))).toBeUndefined();
  expect(withTrace((reader) => keep(reader, "leaks", "1", 1))).toBe(true);
  expect(withTrace((reader) => recall(reader, "leaks", "1"))).toBe(1);
});

it("keeps nothing in a trace that was cut off, or that somebody reads", () => {
  const cut = join(folder, "cut.trace.db");
  writeSample(cut, { finish: false }).close();
  const reader = TraceReader.open(cut);
  expect(keep(reader, "leaks", "1", 1)).toBe(false);
  reader.close();
  writeSample(path);
  const stop = readElsewhere(path);
  withTrace((open) => expect(keep(open, "leaks", "1", 1)).toBe(false));
  stop();
});
