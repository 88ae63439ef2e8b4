/**
 * Recording a program, seen from the main thread, which only waits, shows progress and passes signals on:
 *
 *     main ── starts ──▶ encoder (creates the trace) ── ready ──▶ main ── starts ──▶ interpreter
 *     interpreter ─ records, names, audits ─▶ encoder        main ── how it ended ──▶ encoder ── done ──▶ main
 *
 * The program comes first: when the trace cannot be written any more, the program goes on to its end unrecorded.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { MessageChannel, Worker } from "node:worker_threads";
import { assert, Failure } from "../base/failure.js";
import { cacheFolder, instrumentCached } from "../interpreter/cache.js";
import type { Program } from "../interpreter/configuration.js";
import { InterpreterCrash } from "../interpreter/failures.js";
import { PASSED_ON } from "../interpreter/kernel/interrupt.js";
import { libraryPath } from "../interpreter/kernel/own-files.js";
import { compileLibrary } from "../interpreter/library.js";
import { interpreterFiles, runWorker, sharedWords, type WorkerResult } from "../interpreter/main-thread.js";
import { readOpcodeNames } from "../interpreter/opcodes.js";
import { createChannel, endChannel, Figures } from "./channel.js";
import type { EncoderWorkerData } from "./encoder-worker.js";
import type { InterpreterWorkerData } from "./interpreter-worker.js";
import { createLine } from "./line.js";
import type { EncoderOptions, FromEncoder, ToEncoder } from "./messages.js";

export interface RecordOptions {
  readonly program: Program;
  /** Path of the trace. */
  readonly out: string;
  /** Replace a trace that is there. */
  readonly overwrite?: boolean;
  /** Where recording begins: the program's start, or the interpreter's first instruction. */
  readonly from?: "script" | "interpreter";
  /** Seconds between audits while the program runs; 0: at its end only. */
  readonly auditEvery?: number;
  /** Whether the object graph goes into the trace, at the end and at marks as long as that takes under 5 % of the run; so by default. */
  readonly graphs?: boolean;
  /** Absolute path of the working directory. */
  readonly cwd: string;
  /**
   * Folders and files of the machine that the program may reach besides the working directory, its own folder, PYTHONPATH and the folder for
   * temporary files.
   */
  readonly allow?: readonly string[];
  /** All of the program's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** 0 to 4294967295. */
  readonly hashSeed?: number;
  /** What `refledger.version` says inside the program. */
  readonly version: string;
  /** Folder of the rewritten interpreter; the platform's by default. */
  readonly cache?: string;
  /** Called once recording can be watched; `read` gives the figures of the moment, `line` is for a progress line (line.ts). */
  readonly started?: (read: () => Progress, line: Int32Array) => void;
}

export interface Progress {
  /** Seconds since the interpreter was started. */
  readonly elapsed: number;
  readonly events: number;
  readonly objects: number;
  /** Bytes of stored events. */
  readonly traceBytes: number;
}

export interface RecordResult {
  /** The program's exit code, 0 to 255. */
  readonly exitCode: number;
  /** What this CPython cannot do and the program died of. */
  readonly limit: string | undefined;
  /** Whether the trace is complete; if not, why. */
  readonly complete: boolean;
  readonly stopped: string | undefined;
  /** Whether the trouble was with the trace, not with the program. */
  readonly traceFailed: boolean;
  readonly events: number;
  /** Bytes of stored events. */
  readonly eventBytes: number;
}

/** The trace while it is written, and what SQLite has beside it. */
const TRACE_FILES = ["", "-wal", "-shm", "-journal"];

/** The signal, while a trace is finished, that ends even that. */
const LAST_WARNING = 3;

/** "3.14.2" of PY_VERSION_HEX. */
const versionText = (hex: number): string => `${hex >>> 24}.${(hex >>> 16) & 255}.${(hex >>> 8) & 255}`;

/** Runs a program and records it. Throws Failure when no trace could be begun; then nothing was run. */
export async function record(options: RecordOptions): Promise<RecordResult> {
  const from = options.from ?? "script";
  const libraryFile = await compileLibrary();
  const standardLibrary = new Uint8Array(readFileSync(libraryFile));
  const instrumented = instrumentCached(readFileSync(interpreterFiles().module), options.cache ?? cacheFolder());
  const { plan } = instrumented;
  const compiled = WebAssembly.compile(instrumented.bytes as BufferSource);
  const channel = createChannel();
  const records = new MessageChannel();
  const control = new MessageChannel();
  const { program } = options;
  const python = versionText(plan.layout.version);
  const encoderOptions: EncoderOptions = {
    out: options.out,
    overwrite: options.overwrite ?? false,
    plan,
    opcodeNames: readOpcodeNames(standardLibrary),
    meta: {
      python,
      program: { kind: program.kind, text: program.target },
      argv: program.args,
      cwd: options.cwd,
      from,
      interpreter: instrumented.hash,
      rewriter: instrumented.key,
      library: createHash("sha256").update(standardLibrary).digest("hex"),
      recorder: options.version,
      env: options.env,
      hashSeed: options.hashSeed ?? 0,
    },
    libraryPath: libraryPath(python.replace(/\.\d+$/, "")),
    libraryFile,
  };
  const encoderData: EncoderWorkerData = {
    options: encoderOptions,
    channel,
    port: records.port2,
    control: control.port2,
  };
  const encoder = new Encoder(encoderData);
  const module = await compiled;
  await encoder.ready;

  const words = sharedWords();
  const line = createLine();
  const started = performance.now();
  const data: InterpreterWorkerData = {
    interpreter: {
      ...words,
      module,
      standardLibrary,
      program,
      cwd: options.cwd,
      env: options.env,
      hashSeed: options.hashSeed ?? 0,
      version: options.version,
      allow: options.allow ?? [],
      hidden: TRACE_FILES.map((suffix) => resolve(options.out) + suffix),
    },
    plan,
    channel,
    port: records.port1,
    line,
    graphs: options.graphs ?? true,
    from,
    auditEvery: options.auditEvery ?? 0,
  };
  const figures = new Figures(channel);
  options.started?.(() => ({ elapsed: (performance.now() - started) / 1000, ...figures.get() }), line);

  const trace = protectTrace();
  let result: WorkerResult | undefined;
  let stopped: string | undefined;
  let exitCode = 130;
  try {
    result = await runWorker(new URL("./interpreter-worker.js", import.meta.url), data, words, [records.port1]);
    exitCode = result.exitCode;
    if (result.stopped) stopped = "the program was stopped from outside, since it took no notice of the signal";
  } catch (error) {
    if (!(error instanceof InterpreterCrash)) {
      trace.finished();
      await encoder.abandon();
      throw error;
    }
    exitCode = error.exitCode;
    stopped = `the interpreter ended with a fatal error: ${error.message}`;
  } finally {
    endChannel(channel);
    trace.finishing();
  }
  const end: ToEncoder = {
    kind: "end",
    exitCode: result && !result.stopped ? exitCode : null,
    stopped: stopped ?? null,
    wallSeconds: (performance.now() - started) / 1000,
  };
  control.port1.postMessage(end);
  const last = await encoder.finished.finally(trace.finished);
  control.port1.close();
  const done = last.kind === "done" ? last : undefined;
  return {
    exitCode,
    limit: result?.limit,
    complete: done !== undefined && stopped === undefined,
    stopped: last.kind === "failed" ? last.message : stopped,
    traceFailed: last.kind === "failed",
    events: done?.events ?? figures.get().events,
    eventBytes: done?.bytes ?? figures.get().traceBytes,
  };
}

/**
 * While the trace is finished, the signals that end a program have nothing left to end: a Ctrl-C too many must not cost the trace. A third
 * one is meant seriously. Listens from the beginning, so that no signal falls between the program's end and the finishing.
 */
function protectTrace(): { finishing(): void; finished(): void } {
  let heard = Number.NEGATIVE_INFINITY;
  const listeners = Object.entries(PASSED_ON).map(([name, signal]) => {
    const hear = (): void => {
      if (++heard === LAST_WARNING) process.exit(128 + signal);
    };
    process.on(name, hear);
    return [name, hear] as const;
  });
  return {
    finishing() {
      heard = 0;
    },
    finished() {
      for (const [name, hear] of listeners) process.off(name, hear);
    },
  };
}

/** The encoder's worker as two promises: that the trace was begun, and how it ended. */
class Encoder {
  readonly #worker: Worker;
  /** Rejects with Failure when there is no trace to write to. */
  readonly ready: Promise<void>;
  readonly finished: Promise<FromEncoder & { kind: "done" | "failed" }>;

  constructor(data: EncoderWorkerData) {
    const worker = new Worker(new URL("./encoder-worker.js", import.meta.url), {
      workerData: data,
      transferList: [data.port, data.control],
    });
    this.#worker = worker;
    let begun = false;
    this.finished = new Promise((resolve, reject) => {
      worker.on("message", (message: FromEncoder) => {
        if (message.kind === "ready") begun = true;
        else resolve(message);
      });
      worker.on("error", reject);
    });
    this.ready = new Promise((resolve, reject) => {
      worker.on("message", (message: FromEncoder) => {
        if (message.kind === "ready") resolve();
        else if (!begun && message.kind === "failed") reject(new Failure(message.message, message.exitCode));
      });
      worker.on("error", reject);
    });
    this.finished.catch(() => {}); // waited for later; until then an error is not unhandled
    assert(worker.threadId > 0, "the encoder's worker runs");
  }

  async abandon(): Promise<void> {
    await this.#worker.terminate();
  }
}
