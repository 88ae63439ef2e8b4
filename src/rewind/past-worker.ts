/**
 * The thread of a second run: the interpreter over the log of inputs, held wherever the main thread wants it. It serves requests from
 * the middle of the interpreter's call stack, and goes on when a request asks for it.
 */
import { posix } from "node:path";
import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { assert, Failure } from "../base/failure.js";
import { InterpreterCrash } from "../interpreter/failures.js";
import type { Guest } from "../interpreter/guest.js";
import { InputMismatch, InputReplay, InputsEnded } from "../interpreter/input-replay.js";
import { runInterpreter } from "../interpreter/interpreter.js";
import { libraryPath } from "../interpreter/kernel/own-files.js";
import { TraceReader } from "../trace/reader.js";
import { Visit, type VisitAnswer } from "./evaluate.js";
import { Follower } from "./follower.js";
import { checkHeap, heapAt } from "./heap-check.js";
import {
  type Answer,
  type Divergence,
  type PastWorkerData,
  type Question,
  type Request,
  withoutDropped,
} from "./messages.js";
import type { Moment, MomentQuestion } from "./moment.js";
import type { PastFiles } from "./past-files.js";

/** Events before a cut-off end from which on boundaries are noted: more than a full ring of records holds. */
const NEAR = 400_000;

/** Bytecodes of one line without an event that are looked at. */
const MOST_LOOKS = 20;

/** The function that was asked about is over. */
const NOT_ASKED = {
  status: "left behind",
  text: "",
  traceback: "",
  printed: [],
  interrupted: false,
  died: false,
} as const;

/** Where the run stands while requests are served. */
type Standing = "before" | "event" | "boundary" | "end" | "over";

class Past {
  readonly #data: PastWorkerData;
  readonly #reader: TraceReader;
  readonly #replay: InputReplay;
  readonly #follower: Follower;
  #guest: Guest | undefined;
  #served = 0;
  /** What is to be answered at the next boundary between two bytecodes. */
  #question: (Request & { kind: "evaluate" | "garbage" }) | undefined;
  /** A moment that is being settled; `isOver`: what happens from here on is of another line. */
  #settling:
    | {
        readonly question: MomentQuestion;
        moment: Moment;
        readonly place: ReturnType<Follower["place"]>;
        looks: number;
        isOver: boolean;
      }
    | undefined;
  #visit: { readonly visit: Visit; readonly wasRecording: boolean } | undefined;
  #files: PastFiles | undefined;
  /** Function that ran at the instant that was asked for. */
  #function: string | null = null;
  #ended = false;

  constructor(data: PastWorkerData) {
    this.#data = data;
    this.#reader = TraceReader.open(data.trace);
    let part = 0;
    this.#replay = new InputReplay(() => this.#reader.inputs(part++), data.standardLibrary);
    this.#follower = new Follower(data.plan, this.#reader, data.comparison, {
      progress: (event) => this.#say({ kind: "progress", event }),
      diverged: (divergence) => this.#diverged(divergence),
      lost: () => this.#rest(),
      arrived: () => this.#arrived(),
      flushed: () => this.#watch(),
      wantsBoundary: () => {
        this.#look();
        return this.#wantsBoundary();
      },
      boundary: () => {
        this.#serve("boundary");
        this.#watch();
      },
      ended: () => this.#end(),
    });
  }

  /** Has boundaries told of if somebody waits for one, or might: the last moment for a question may come any time. */
  #watch(): void {
    this.#follower.probe.boundaryDue =
      this.#question !== undefined || this.#settling?.isOver === false || this.#nearCutOff();
  }

  /** A bytecode later, without an event: what it did still belongs to the moment if it was of the same line. */
  #look(): void {
    const settling = this.#settling;
    if (!settling || settling.isOver) return;
    const { question, moment, place } = settling;
    const now = this.#follower.place();
    if (settling.looks < MOST_LOOKS && now && now.frame === place?.frame && now.line === place.line) {
      settling.looks++;
      settling.moment = { ...this.#follower.moment(question), left: moment.left };
      return;
    }
    settling.isOver = true;
    this.#watch();
  }

  #settled(): void {
    if (!this.#settling) return;
    const { moment } = this.#settling;
    this.#settling = undefined;
    this.#say({ kind: "moment", moment, at: this.#follower.events });
  }

  #wantsBoundary(): boolean {
    if (!this.#question) return false;
    // While the interpreter initialises itself, Python cannot be asked yet.
    if (!this.#guest || !this.#follower.probe.recording) return false;
    // In a finalizer or callback that a collection runs the collector's lists are not whole. There is a later moment.
    return !(this.#question.kind === "garbage" && this.#isCollecting);
  }

  run(): void {
    const { meta } = this.#reader;
    const follower = this.#follower;
    const start = (baseline: boolean): void => {
      follower.start(baseline);
      this.#serve("before");
    };
    try {
      runInterpreter({
        module: this.#data.module,
        standardLibrary: this.#data.standardLibrary,
        program: { kind: meta.program!.kind, target: meta.program!.text, args: meta.argv! },
        cwd: meta.cwd!,
        env: meta.env!,
        hashSeed: meta.hashSeed!,
        version: meta.recorder!,
        interrupt: this.#data.interrupt,
        terminalSize: new Int32Array(2),
        replay: this.#replay,
        hooks: {
          instantiated: (instance) => {
            follower.attach(instance);
            if (meta.from === "interpreter") start(false);
          },
          initialised: (guest) => {
            this.#guest = guest;
          },
          programStart: () => {
            if (meta.from !== "interpreter") start(true);
          },
          mark: (name) => {
            // The function that sets a mark can be asked at that very event.
            if (this.#wantsBoundary()) follower.holdHere();
            follower.mark(name);
          },
          programEnd: () => this.#end(),
          processEnd: (guest) => {
            if (this.#visit) return; // a question asked for that: it is no end of the program
            this.#guest = guest;
            this.#end();
          },
        },
      });
    } catch (error) {
      if (error instanceof InputMismatch) {
        this.#settle();
        this.#diverged(this.#mismatch(error.message));
      }
      if (error instanceof InputsEnded)
        this.#fail("the recorded inputs end before the event: the recording was cut short");
      else if (!(error instanceof InterpreterCrash)) {
        // A run that went its own way between two comparisons may have met anything.
        this.#settle();
        throw error;
      }
    }
    if (!this.#ended) this.#end();
    this.#fail("the recorded program is over");
  }

  /** The last event has happened; what recorded stops here, and so do the inputs. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#follower.probe.flush();
    this.#follower.probe.pause();
    if (!this.#follower.finish()) this.#rest();
    if (this.#settling) this.#follower.here();
    else this.#held(true);
    this.#serve("end");
  }

  /** Whether the run is close to where the recording was cut off. */
  #nearCutOff(): boolean {
    return !this.#reader.meta.complete && this.#follower.events >= this.#reader.events - NEAR;
  }

  #arrived(): void {
    this.#settle();
    if (this.#question) {
      if (this.#follower.isAtBoundary) return;
      this.#tooLate();
    }
    if (this.#settling) this.#follower.here();
    else this.#held(false);
    this.#serve("event");
  }

  /** Goes on only if everything so far was as recorded. */
  #settle(): void {
    if (!this.#follower.settle()) this.#rest();
  }

  #mismatch(found: string): Divergence {
    return { event: this.#follower.events, expected: "the recorded inputs", found };
  }

  #tooLate(): never {
    this.#say({ kind: "too late", last: this.#follower.lastBoundary });
    return this.#rest();
  }

  #say(answer: Answer): void {
    this.#data.port.postMessage(answer);
  }

  #held(ended: boolean): void {
    this.#follower.here();
    this.#function = this.#follower.runningFunction();
    this.#say({ kind: "held", event: this.#follower.events, ended });
  }

  /** Says so, and goes no further. */
  #diverged(divergence: Divergence): never {
    this.#say({ kind: "diverged", divergence });
    return this.#rest();
  }

  #fail(message: string): never {
    this.#say({ kind: "failed", message });
    return this.#rest();
  }

  /** Until the main thread ends this one. */
  #rest(): never {
    for (;;) Atomics.wait(this.#data.requests, 0, Atomics.load(this.#data.requests, 0));
  }

  /** Answers requests until one asks to go on. */
  #serve(standing: Standing): void {
    this.#settled();
    if (this.#question && standing !== "event") this.#answer(this.#question, true);
    for (;;) {
      Atomics.wait(this.#data.requests, 0, this.#served);
      const found = receiveMessageOnPort(this.#data.port);
      if (!found) continue;
      this.#served++;
      const request = found.message as Request;
      switch (request.kind) {
        case "go":
          if (standing === "end") {
            this.#held(true);
            continue;
          }
          this.#follower.target = this.#lastStop(request.to);
          if (this.#follower.events === request.to) {
            this.#held(false);
            continue;
          }
          return;
        case "leave":
          this.#say({ kind: "left", spoiled: !this.#leave() });
          continue;
        case "check":
          this.#check();
          continue;
        case "holds":
          this.#say({ kind: "holds", held: this.#follower.holds(request.references) });
          continue;
        case "graph":
          this.#say({ kind: "graph", graph: this.#follower.graph() });
          continue;
        case "moment":
          this.#settling = {
            question: { ...request.question, left: 0 },
            moment: this.#follower.moment(request.question),
            place: this.#follower.place(),
            looks: 0,
            isOver: false,
          };
          if (!request.question.settled || standing !== "event") {
            this.#settled();
            continue;
          }
          this.#follower.target = this.#lastStop(this.#follower.events + 1);
          this.#watch();
          return;
        case "garbage":
        case "evaluate":
          if (
            standing === "end" ||
            (request.kind === "garbage" && request.where === "here") ||
            (standing === "boundary" && !(request.kind === "garbage" && this.#isCollecting))
          ) {
            this.#answer(request, standing === "boundary" || standing === "end");
            continue;
          }
          this.#question = request;
          if (this.#follower.events >= this.#reader.events) this.#tooLate();
          this.#follower.target = this.#lastStop(this.#reader.events);
          this.#watch();
          return;
      }
    }
  }

  get #isCollecting(): boolean {
    return this.#follower.probe.collectorField(0) !== 0;
  }

  /** A complete trace's last event is no place to stop at: the program's end right behind it is a better one. */
  #lastStop(to: number): number {
    return this.#reader.meta.complete && to >= this.#reader.events ? Number.POSITIVE_INFINITY : to;
  }

  #check(): void {
    const follower = this.#follower;
    const heap = heapAt(this.#reader, follower.events);
    const check = checkHeap(heap, follower.probe, follower.heap, (address) => follower.typeIdAt(address));
    this.#say({ kind: "checked", check });
  }

  #answer(question: Request & { kind: "evaluate" | "garbage" }, isBoundary: boolean): void {
    this.#question = undefined;
    if (question.kind === "evaluate") this.#evaluate(question.question);
    else this.#garbage(question.forced, isBoundary && !this.#isCollecting);
  }

  /** What a full collection would free, and where it is forced, what it does free. */
  #garbage(forced: boolean, isBoundary: boolean): void {
    const { probe } = this.#follower;
    const found = this.#follower.garbage(isBoundary);
    const event = this.#follower.events;
    if (!forced) {
      this.#say({ kind: "garbage", garbage: { ...found, event, freed: null }, spoiled: false });
      return;
    }
    const guest = this.#guest;
    assert(guest, "there is an interpreter to ask");
    const before = [...probe.headers()].filter((object) => !probe.isDead(object));
    this.#enter(guest);
    guest.call("PyGC_Collect");
    const freed = withoutDropped(
      before.filter((object) => !probe.isLive(object)),
      found,
    );
    const spoiled = !this.#leave();
    this.#say({ kind: "garbage", garbage: { ...found, event, freed }, spoiled });
  }

  #evaluate(question: Question): void {
    const guest = this.#guest;
    assert(guest, "there is an interpreter to ask");
    const { left, deeper } = this.#follower.sinceHere();
    const place = { function: this.#function, left };
    const event = this.#follower.events;
    if (left && question.module === "") {
      const answer: VisitAnswer = { ...NOT_ASKED, where: this.#follower.runningFunction() };
      this.#say({ kind: "evaluated", answer, event, place, spoiled: false });
      return;
    }
    const visit = this.#enter(guest);
    this.#say({ kind: "asking" });
    const answer = visit.ask({ ...question, frame: question.frame + deeper });
    const spoiled = (answer.died || !question.stay) && !this.#leave();
    this.#say({ kind: "evaluated", answer, event, place, spoiled });
  }

  /** From here on nothing is recorded, no input is used up, and everything can be put back. */
  #enter(guest: Guest): Visit {
    if (!this.#visit) {
      const { interrupt, plan } = this.#data;
      const { probe } = this.#follower;
      const surroundings = { files: this.#allFiles(), cwd: this.#reader.meta.cwd!, interrupt };
      this.#visit = { visit: new Visit(guest, plan.region, surroundings), wasRecording: probe.recording };
      probe.pause();
      probe.boundaryDue = false;
      this.#follower.forgetTemporaries();
      this.#replay.instead = this.#visit.visit.calls;
    }
    return this.#visit.visit;
  }

  /** Whether everything is as it was before the first question. */
  #leave(): boolean {
    if (!this.#visit) return true;
    const { visit, wasRecording } = this.#visit;
    this.#visit = undefined;
    this.#replay.instead = undefined;
    const isRestored = visit.leave();
    if (wasRecording) this.#follower.probe.resume();
    return isRestored;
  }

  /** What can be read in the past: the library, and the sources that the trace has. */
  #allFiles(): PastFiles {
    if (this.#files) return this.#files;
    const reader = this.#reader;
    const files = new Map<string, Uint8Array>();
    for (const { path } of reader.files()) {
      const text = reader.file(path);
      if (text !== undefined) files.set(posix.resolve(reader.meta.cwd!, path), text);
    }
    files.set(libraryPath(reader.meta.python!.replace(/\.\d+$/, "")), this.#data.standardLibrary);
    this.#files = files;
    return files;
  }
}

const data = workerData as PastWorkerData;
try {
  new Past(data).run();
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  data.port.postMessage({ kind: "failed", message: error.message } satisfies Answer);
}
