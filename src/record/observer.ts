/**
 * The recorder's side inside the interpreter's thread: answers the probe. Numbers types, code objects and marks and sends what
 * they are to the encoder the moment they are met; hands flushed records to the channel; takes the baseline and the audits.
 */
import type { MessagePort } from "node:worker_threads";
import { blockBytes, GraphReader } from "../interpreter/graph.js";
import { HeapReader, type TypeFacts } from "../interpreter/heap-reader.js";
import { InputLog } from "../interpreter/input-log.js";
import type { Plan } from "../interpreter/instrument.js";
import { Probe, type ProbeListener } from "../interpreter/probe.js";
import { RawKind } from "../interpreter/raw-events.js";
import { Walker } from "../interpreter/truth.js";
import type { Audit } from "../trace/writer.js";
import type { ChannelWriter } from "./channel.js";
import type { Placed, ToEncoder } from "./messages.js";
import { PartWriter } from "./parts.js";

/** A slow program's records are handed on after this many ms, so that little is lost if it is killed. */
const FLUSH_EVERY = 500;
/** Of so many moments at which Python code might run, up to hundreds of thousands a second, one asks for the time. */
const POLLS = 256;
/** Bytes from the collector's statistics to its `collecting` flag: three generations of three counters right before it. */
const STATISTICS = 36;

/** The part of the run so far that graphs at marks may take, wall time. */
const GRAPHS_SHARE = 0.05;
/** ms that an audit with a graph takes for each object, until one was taken. */
const GRAPH_COST = 0.003;

/** Where records go: to the encoder's thread, or to whoever runs a program again. */
export type RecordSink = Pick<ChannelWriter, "publish" | "partSent" | "published" | "wake">;

export class Observer implements ProbeListener {
  readonly #plan: Plan;
  readonly #channel: RecordSink;
  readonly #port: Pick<MessagePort, "postMessage">;
  /** ms between audits; 0: at the end only. */
  readonly #auditEvery: number;
  #probe!: Probe;
  #heap!: HeapReader;
  #walker!: Walker;
  /** Who traverses at the moment. */
  #visitor!: { visit(object: number): void };
  readonly #graphs: boolean;
  readonly #labels = new Map<string, number>();
  #typeIds = new Map<number, number>();
  #lastType = 0;
  #lastCode = 0;
  readonly #markIds = new Map<string, number>();
  #started = 0;
  #lastFlush = 0;
  #lastAudit = 0;
  /** ms spent on graphs at marks, and what the last one took for each object. */
  #onGraphs = 0;
  #graphCost = GRAPH_COST;
  #lost = false;
  #log: InputLog | undefined;
  #uncollectableBefore = 0;
  #polls = 0;
  /** Frames that became current in a way that was neither a call nor a return. */
  strangeFrames = 0;

  constructor(
    plan: Plan,
    channel: RecordSink,
    port: Pick<MessagePort, "postMessage">,
    auditEvery: number,
    graphs: boolean,
  ) {
    this.#plan = plan;
    this.#channel = channel;
    this.#port = port;
    this.#auditEvery = auditEvery;
    this.#graphs = graphs;
  }

  /** The log of what comes in from outside, which goes the same way as the events that follow from it. */
  logInputs(): InputLog {
    this.#log = new InputLog((bytes) => {
      if (!this.#lost) this.#sendPart({ kind: "inputs", bytes });
    });
    return this.#log;
  }

  /** Before the interpreter's first instruction. */
  attach(instance: WebAssembly.Instance): void {
    this.#probe = new Probe(instance, this.#plan, this);
    this.#heap = new HeapReader(this.#probe.memory, this.#plan.layout);
    this.#walker = new Walker(this.#probe, this.#heap);
    this.#visitor = this.#walker;
  }

  get probe(): Probe {
    return this.#probe;
  }

  get heap(): HeapReader {
    return this.#heap;
  }

  /** The number of the type at this address, if it has one. */
  typeIdAt(address: number): number | undefined {
    return this.#typeIds.get(address);
  }

  /** The number of a type that is met for the first time. */
  protected typeNumber(_facts: TypeFacts): number {
    return ++this.#lastType;
  }

  #send(message: ToEncoder): void {
    const placed: Placed = { after: this.#channel.published, message };
    this.#port.postMessage(placed);
  }

  #now(): number {
    return performance.now() - this.#started;
  }

  /** Recording begins: with what is alive now as the baseline, or with nothing. */
  start(baseline: boolean): void {
    if (this.#probe.recording) return;
    if (baseline) this.#baseline();
    // Taking the baseline is no time of the program.
    this.#started = performance.now();
    this.#send({ kind: "start", epoch: performance.timeOrigin + this.#started });
    this.#probe.start();
    // Types that the baseline numbered are known from here on without a record each.
    for (const [address, id] of this.#typeIds) this.#probe.adoptType(address, id);
    this.#lastFlush = this.#lastAudit = this.#now();
  }

  /** Bytes of the block that an object stands in; 0 in static memory. As the hooks compute it. */
  #blockBytes(object: number): number {
    return blockBytes(this.#heap, this.#plan, object);
  }

  #typeIdOf(address: number): number {
    const known = this.#typeIds.get(address);
    if (known !== undefined) return known;
    const id = this.internType(address);
    if (this.#probe.recording) this.#probe.adoptType(address, id);
    return id;
  }

  /** What is alive now, the objects of the binary's own data among it. */
  #baseline(): void {
    const { unknown, statics } = this.#walker.walk();
    for (const { address } of unknown) this.#probe.adopt(address);
    for (const address of statics) this.#probe.adopt(address);
    const rows: number[][] = [];
    for (const { address, type, count } of this.#walker.objects()) {
      for (let i = 0; i < address.length; i++) {
        if (this.#probe.isDead(address[i])) continue;
        rows.push([address[i], this.#typeIdOf(type[i]), count[i], this.#blockBytes(address[i])]);
      }
    }
    const blocks = [...this.#walker.blocks()].flatMap(({ address, size }) =>
      [...address].map((at, i) => [at, size[i]]),
    );
    const column = (table: readonly number[][], i: number): Uint32Array => Uint32Array.from(table, (row) => row[i]);
    this.#send({
      kind: "baseline",
      objects: { address: column(rows, 0), type: column(rows, 1), count: column(rows, 2), bytes: column(rows, 3) },
      blocks: { address: column(blocks, 0), size: column(blocks, 1) },
    });
  }

  /**
   * Hands over what is recorded so far, and with it the truth, and the graph when asked for, in parts: the encoder is never more than
   * a few behind.
   */
  audit(withGraph = false): void {
    this.#probe.flush();
    const { unknown, statics } = this.#walker.walk();
    const headers: Audit["objects"][] = [];
    for (const { address, type, count, reached } of this.#walker.objects()) {
      const objects = { address, type: type.map((at) => this.#typeIdOf(at)), count, reached };
      if (withGraph) headers.push(objects);
      if (!this.#sendPart({ kind: "audit-objects", objects })) return;
    }
    for (const blocks of this.#walker.blocks()) if (!this.#sendPart({ kind: "audit-blocks", blocks })) return;
    if (withGraph && !this.#graph(headers)) return;
    this.#send({
      kind: "audit-end",
      unknown: unknown.map(({ address, via }) => ({
        address,
        via,
        type: this.#heap.type(this.#heap.typeOf(address)).name,
      })),
      statics: statics.length,
      wall: this.#now(),
    });
    this.#channel.wake();
    this.#lastAudit = this.#now();
  }

  /** Every reference of every live object, by memory reads alone; `headers`: as the audit has just read them. */
  #graph(headers: readonly Audit["objects"][]): boolean {
    let written = true;
    const parts = (list: "nodes" | "edges"): PartWriter =>
      new PartWriter((columns) => {
        written &&= this.#sendPart({ kind: "graph-part", list, columns });
      });
    const nodes = parts("nodes");
    for (const { address, type, count } of headers) {
      for (let i = 0; i < address.length; i++) {
        const at = address[i];
        if (!this.#probe.isDead(at)) nodes.row(at, type[i], count[i], this.#blockBytes(at));
      }
    }
    nodes.end();
    const edges = parts("edges");
    const graph = new GraphReader(this.#probe, this.#heap, {
      edge: (source, target, kind, label) => edges.row(source, target, kind, label),
      label: (text) => this.#label(text),
    });
    this.#visitor = graph;
    graph.read();
    this.#visitor = this.#walker;
    edges.end();
    return written;
  }

  #label(text: string): number {
    let id = this.#labels.get(text);
    if (id === undefined) {
      id = this.#labels.size + 1;
      this.#labels.set(text, id);
      this.#send({ kind: "graph-label", id, text });
    }
    return id;
  }

  /** False when the trace cannot be written any more. */
  #sendPart(message: ToEncoder & { kind: "audit-objects" | "audit-blocks" | "graph-part" | "inputs" }): boolean {
    this.#send(message);
    if (this.#channel.partSent()) return true;
    this.#lost = true;
    return false;
  }

  /** Recording ends, with a last audit. */
  stop(): void {
    if (!this.#probe.recording) return;
    this.#log?.stop();
    this.#probe.stop();
    if (!this.#lost) this.audit(this.#graphs);
  }

  /** After a crash: what the ring still holds. */
  salvage(): void {
    if (!this.#probe?.recording) return;
    this.#log?.stop();
    this.#probe.stop();
  }

  records(words: Int32Array): void {
    const now = this.#now();
    // The inputs of these events go first: whatever part of a trace is kept can be run again to its end.
    this.#log?.flush();
    if (!this.#lost && !this.#channel.publish(words, this.#lastFlush, now)) {
      // The trace cannot be written any more; the program goes on without it.
      this.#lost = true;
      this.#probe.abandon();
    }
    this.#lastFlush = now;
    if (this.#auditEvery > 0 && now - this.#lastAudit >= this.#auditEvery) this.#probe.safePointDue = true;
  }

  /** The program calls into the system, or waits there: a good moment for what should not wait for a full ring. */
  systemCall(): void {
    if (this.#probe?.recording && this.#probe.pending > 0 && this.#now() - this.#lastFlush >= FLUSH_EVERY)
      this.#probe.flush();
  }

  /** A moment at which Python code might run: the one for audits in a program that calls no functions, and for handing on what there is. */
  poll(): void {
    if (++this.#polls % POLLS === 0) this.systemCall();
    if (this.#auditEvery > 0 && this.#probe?.recording && this.#now() - this.#lastAudit >= this.#auditEvery)
      this.safePoint();
  }

  internType(address: number): number {
    const facts = this.#heap.type(address);
    const id = this.typeNumber(facts);
    this.#typeIds.set(address, id);
    this.#send({ kind: "type", id, facts });
    return id;
  }

  internCode(address: number): { id: number; start: number; bytes: number } {
    const id = ++this.#lastCode;
    const facts = this.#heap.code(address);
    this.#send({ kind: "code", id, facts });
    return { id, start: facts.start, bytes: facts.instructions.length };
  }

  /**
   * The graph at a mark, while all of them together stay cheap. Whether one is taken depends on the clock, and nothing that is recorded
   * depends on it: memory is only read, and types are numbered by what the trace says of them (follower.ts).
   */
  #graphAtMark(): void {
    const begun = this.#now();
    if (!this.#graphs || this.#lost) return;
    // Counting comes first: a program that sets marks all the time must not pay for looking at its heap each time.
    const room = GRAPHS_SHARE * begun - this.#onGraphs;
    if (room < this.#graphCost) return;
    const objects = this.#probe.objects();
    const counted = this.#now() - begun;
    this.#onGraphs += counted;
    if (room - counted < this.#graphCost * objects) return;
    this.audit(true);
    const spent = this.#now() - begun - counted;
    this.#onGraphs += spent;
    this.#graphCost = spent / Math.max(1, objects);
  }

  mark(name: string): void {
    if (!this.#probe.recording) return;
    // Before the mark: a time that names a mark is the moment right before its event.
    this.#graphAtMark();
    let id = this.#markIds.get(name);
    if (id === undefined) {
      id = this.#markIds.size + 1;
      this.#markIds.set(name, id);
      this.#send({ kind: "mark", id, name });
    }
    this.#probe.write(RawKind.mark, 0, id);
  }

  /** Objects found uncollectable since the interpreter began, over all generations. */
  #uncollectable(): number {
    let sum = 0;
    for (let generation = 0; generation < 3; generation++)
      sum += this.#probe.collectorField(-STATISTICS + 12 * generation + 8);
    return sum;
  }

  /**
   * The first thing that an ending interpreter does after the exit callbacks is to collect, whether the program wanted that or not.
   * Cycles that the program left behind belong to its end, so the end is before.
   */
  collectStart(): void {
    if (this.#probe.finalizing) {
      this.stop();
      return;
    }
    this.#uncollectableBefore = this.#uncollectable();
  }

  /** `found` is what the collection itself answers: collected and uncollectable together. */
  collectStop(_generation: number, found: number): { collected: number; uncollectable: number } {
    const uncollectable = this.#uncollectable() - this.#uncollectableBefore;
    return { collected: found - uncollectable, uncollectable };
  }

  safePoint(): void {
    this.#probe.safePointDue = false;
    this.audit();
  }

  visit(object: number): void {
    this.#visitor.visit(object);
  }

  frames(): void {
    this.strangeFrames++;
  }
}
