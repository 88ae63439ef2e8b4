/**
 * The second thread: takes flushed records, turns them into chunks and writes the trace. Synchronous from end to end; it sleeps
 * on the channel and takes messages by hand.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert, Failure } from "../base/failure.js";
import { eventNumber } from "../base/ids.js";
import { isFromInput } from "../interpreter/configuration.js";
import type { CodeFacts } from "../interpreter/heap-reader.js";
import { TraceWriter } from "../trace/writer.js";
import { type ChannelMemory, ChannelReader, Figures, PlacedMessages, type Slot } from "./channel.js";
import { RecordEncoder } from "./encoder.js";
import { LibrarySources } from "./library-sources.js";
import type { EncoderOptions, FromEncoder, ToEncoder } from "./messages.js";

export interface EncoderWorkerData {
  readonly options: EncoderOptions;
  readonly channel: ChannelMemory;
  /** From the interpreter's thread. */
  readonly port: MessagePort;
  /** From the main thread. */
  readonly control: MessagePort;
}

/** Largest source file that is kept in a trace, in bytes. */
const LARGEST_SOURCE = 8 * 2 ** 20;
/** dlmalloc's alignment in this build, in bytes. */
const MALLOC_ALIGNMENT = 8;

const sha256Of = (text: Uint8Array): string => createHash("sha256").update(text).digest("hex");

class Recorder {
  readonly #options: EncoderOptions;
  readonly #writer: TraceWriter;
  readonly #encoder: RecordEncoder;
  readonly #codes = new Map<number, CodeFacts>();
  readonly #functions = new Set<number>();
  readonly #files = new Set<string>();
  readonly #library: LibrarySources;
  readonly #names: ReadonlyMap<number, string>;
  readonly #figures: Figures;
  #wallStart = 0;
  #wall = 0;

  constructor(options: EncoderOptions, figures: Figures) {
    this.#options = options;
    this.#figures = figures;
    const { plan, meta } = options;
    this.#names = new Map(plan.functionNames);
    this.#library = new LibrarySources(options.libraryFile);
    this.#writer = TraceWriter.create(options.out, { overwrite: options.overwrite });
    this.#writer.begin({ ...meta, created: new Date().toISOString(), mallocAlignment: MALLOC_ALIGNMENT });
    this.#encoder = new RecordEncoder(plan.region.start, plan.siteFunction.length, {
      location: (id, code, offset) => this.#addLocation(id, code, offset),
      site: (id) => this.#addSite(id),
      sample: (event, part) => this.#sample(event, this.#wallStart + part * (this.#wall - this.#wallStart)),
    });
    const { kind, text } = meta.program;
    if (kind === "script" && !isFromInput({ kind, target: text })) this.#addFile(text, "program");
  }

  get events(): number {
    return this.#writer.events;
  }

  get eventBytes(): number {
    return this.#writer.eventBytes;
  }

  #addSite(id: number): void {
    const { plan } = this.#options;
    const f = plan.siteFunction[id - 1];
    if (!this.#functions.has(f)) {
      this.#functions.add(f);
      this.#writer.addFunction({ id: f, name: this.#names.get(f) ?? null });
    }
    this.#writer.addSite({ id, function: f, code_offset: plan.siteOffset[id - 1] });
  }

  #addLocation(id: number, code: number, offset: number): void {
    const facts = this.#code(code);
    const line = facts.lines.find((range) => offset >= range.start && offset < range.stop)?.line ?? null;
    const opcode = this.#options.opcodeNames[facts.instructions[offset]] ?? null;
    this.#writer.addLocation({ id, code, offset, line, opcode });
  }

  #code(id: number): CodeFacts {
    const facts = this.#codes.get(id);
    assert(facts !== undefined, `code object ${id} was announced`);
    return facts;
  }

  /** Keeps the source text of a file that code comes from, if it is one that can be read now. */
  #addFile(path: string, role: "program" | "module"): void {
    if (this.#files.has(path)) return;
    this.#files.add(path);
    const { libraryPath } = this.#options;
    if (path.startsWith(`${libraryPath}/`)) {
      const text = this.#library.text(path.slice(libraryPath.length + 1));
      if (text) this.#writer.addFile({ path, role: "library", sha256: sha256Of(text), text });
      return;
    }
    if (path.startsWith("<")) return;
    const absolute = path.startsWith("/") ? path : `${this.#options.meta.cwd}/${path}`;
    let text: Buffer;
    try {
      const status = statSync(absolute);
      if (!status.isFile() || status.size > LARGEST_SOURCE) return;
      text = readFileSync(absolute);
    } catch {
      return; // a name that the program made up for its code; the code object keeps it
    }
    this.#writer.addFile({ path, role, sha256: sha256Of(text), text });
  }

  message(message: ToEncoder): void {
    const writer = this.#writer;
    const first = writer.events;
    switch (message.kind) {
      case "type": {
        const { id, facts } = message;
        writer.addType({ id, ...facts, first });
        return;
      }
      case "code": {
        const { id, facts } = message;
        this.#codes.set(id, facts);
        const { name, qualname, file, firstLine, instructions } = facts;
        writer.addCode(
          { id, name, qualname, file, first_line: firstLine, bytes: instructions.length, first },
          facts.lines,
        );
        this.#addFile(file, "module");
        return;
      }
      case "mark":
        writer.addMarkName({ id: message.id, name: message.name });
        return;
      case "start":
        writer.setMeta({ created: new Date(message.epoch).toISOString() });
        return;
      case "baseline": {
        const { objects, blocks } = message;
        writer.setBaseline({ objects, blocks });
        this.#encoder.begin(objects.type, objects.bytes);
        return;
      }
      case "inputs":
        writer.addInputs(message.bytes);
        return;
      case "audit-objects":
        writer.addAuditObjects(message.objects);
        return;
      case "audit-blocks":
        writer.addAuditBlocks(message.blocks);
        return;
      case "graph-part":
        writer.addGraphPart(message.list, message.columns);
        return;
      case "graph-label":
        writer.addGraphLabel({ id: message.id, text: message.text });
        return;
      case "audit-end":
        writer.endAudit({ event: writer.events, wall: message.wall, unknown: message.unknown });
        writer.setMeta({ staticObjects: message.statics });
        return;
      case "end":
        throw new Error("the end comes from the main thread");
    }
  }

  records(slot: Slot): void {
    const encoder = this.#encoder;
    this.#wallStart = slot.wallStart;
    this.#wall = slot.wallStop;
    const columns = encoder.encode(slot.words, this.#writer.events, (id) => {
      const { start, instructions } = this.#code(id);
      return { start, bytes: instructions.length };
    });
    if (columns.count === 0) return;
    this.#writer.addChunk(columns, {
      wallStart: slot.wallStart,
      wallStop: slot.wallStop,
      objects: encoder.liveObjects,
      bytes: encoder.liveBytes,
    });
    this.#figures.set(this.#writer.events, encoder.liveObjects, this.#writer.eventBytes);
  }

  #sample(event: number, wall: number): number {
    const { totals, changed } = this.#encoder;
    const changes = [...changed].map((type) => [type, { ...totals[type] }] as const);
    this.#writer.addSample(eventNumber(event), wall, changes);
    changed.clear();
    return this.#writer.sampler.nextAt;
  }

  end(message: ToEncoder & { kind: "end" }): void {
    if (this.#encoder.changed.size > 0) this.#sample(this.#writer.events, this.#wall);
    const { exitCode, stopped, wallSeconds } = message;
    this.#writer.finish({
      exitCode,
      wallSeconds,
      complete: stopped === null,
      ...(stopped === null ? {} : { stopped }),
    });
    this.#library.close();
  }

  close(): void {
    this.#library.close();
    this.#writer.close();
  }
}

/** Messages of which the sender lets few be under way. */
const IN_PARTS: ReadonlySet<ToEncoder["kind"]> = new Set(["audit-objects", "audit-blocks", "graph-part", "inputs"]);
/** How long a wait for records lasts before messages are looked at, in ms. */
const PATIENCE = 100;

function main({ options, channel, port, control }: EncoderWorkerData): void {
  const say = (message: FromEncoder): void => parentPort!.postMessage(message);
  const reader = new ChannelReader(channel);
  let recorder: Recorder | undefined;
  try {
    recorder = new Recorder(options, new Figures(channel));
    say({ kind: "ready" });
    const messages = new PlacedMessages<ToEncoder>(port);
    const takeMessages = (): void => {
      for (const message of messages.due(reader.consumed)) {
        recorder!.message(message);
        if (IN_PARTS.has(message.kind)) reader.partTaken();
      }
    };
    for (;;) {
      const slot = reader.next(PATIENCE);
      takeMessages();
      if (slot) {
        recorder.records(slot);
        reader.release();
        continue;
      }
      if (!reader.ended) continue;
      const end = receiveMessageOnPort(control);
      if (!end) continue;
      takeMessages();
      recorder.end(end.message as ToEncoder & { kind: "end" });
      say({ kind: "done", events: recorder.events, objects: 0, bytes: recorder.eventBytes });
      return;
    }
  } catch (error) {
    reader.fail();
    recorder?.close();
    if (!(error instanceof Failure)) throw error;
    say({ kind: "failed", message: error.message, exitCode: error.exitCode });
  } finally {
    port.close();
    control.close();
  }
}

main(workerData as EncoderWorkerData);
