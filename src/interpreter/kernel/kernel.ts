/**
 * What the system calls share: the state that an operating system would keep for one process. Everything the interpreter can
 * learn about the world goes through the functions that the files beside this one build from it (file-calls, descriptor-calls,
 * socket-calls, clock-calls, process-calls); nothing else of the machine is within the program's reach. Between two equal answers of these
 * functions the interpreter is deterministic.
 *
 * This replaces the JavaScript that the interpreter's compiler generated (1.2 MB: a file system of its own, a DOM, WebGL, a bridge from
 * Python to JavaScript). The reasons: nothing of the bridge exists, so there is nothing to forbid; files have the host's own inode
 * numbers and nanoseconds, and unlinked open files, renames and symbolic links behave as the host's; every answer from outside
 * passes one table, so that it can be logged.
 */

import type { GuestMemory } from "../memory.js";
import { type Description, DescriptorTable } from "./description.js";
import { errorNumber, fail } from "./errno.js";
import { Directory } from "./host-files.js";
import type { Interrupt } from "./interrupt.js";
import { LoopbackNetwork } from "./loopback.js";
import { OwnFiles } from "./own-files.js";
import { Reach } from "./reach.js";
import type { GuestFunctions } from "./runtime-calls.js";
import { type BeforeTerminalOutput, standardStreams } from "./standard-streams.js";

export interface KernelOptions {
  /** python_stdlib.zip. */
  standardLibrary: Uint8Array;
  /** "3.14": names the library's folder. */
  pythonVersion: string;
  /** Absolute. */
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** Folders and files of the host that the program may reach, see reach.ts. */
  folders: readonly string[];
  /** Absolute paths of files that are not there for the program. */
  hidden?: readonly string[];
  interrupt: Interrupt;
  /** Two shared words, columns and rows of the terminal; the main thread keeps them current. */
  terminalSize: Int32Array;
  /** Called before each call that may take time: reads, writes, waits. */
  systemCall: () => void;
  /** Called where CPython asks for signals: between bytecodes now and then, and where C code that takes long lets handlers run. */
  poll: () => void;
  beforeTerminalOutput?: BeforeTerminalOutput | undefined;
}

export class Kernel {
  readonly descriptors = new DescriptorTable();
  readonly own: OwnFiles;
  readonly reach: Reach;
  readonly network: LoopbackNetwork;
  readonly interrupt: Interrupt;
  /** Absolute, a byte string. */
  cwd: string;
  umask = process.umask();
  /** Set when the interpreter is instantiated, before its first instruction. */
  memory!: GuestMemory;
  guest!: GuestFunctions;

  constructor(readonly options: KernelOptions) {
    this.interrupt = options.interrupt;
    this.own = new OwnFiles(options.standardLibrary, options.pythonVersion);
    this.reach = new Reach(options.folders, options.hidden);
    this.network = new LoopbackNetwork(options.interrupt);
    this.cwd = Buffer.from(options.cwd).toString("latin1");
    for (const [number, stream] of standardStreams(options.interrupt, options.beforeTerminalOutput).entries())
      if (stream !== undefined) this.descriptors.place(number, stream, false);
  }

  /** The absolute path that a call means: relative paths start at a directory's descriptor, or at the working directory (-100). */
  path(directory: number, address: number, emptyAllowed = false): string {
    const path = this.memory.byteString(address);
    if (path.startsWith("/")) return path;
    if (path === "" && !emptyAllowed) fail("ENOENT");
    const base = directory === -100 ? this.cwd : this.directory(directory).path;
    return path === "" ? base : `${base === "/" ? "" : base}/${path}`;
  }

  directory(descriptor: number): Directory {
    const description: Description = this.descriptors.get(descriptor);
    return description instanceof Directory ? description : fail("ENOTDIR");
  }
}

// biome-ignore lint/suspicious/noExplicitAny: the arguments are whatever the wasm signature says
type SystemCall = (...args: any[]) => number;

/** Linux's way of failing: the negative error number is the result. */
export function linuxCalls<Name extends string>(calls: Record<Name, SystemCall>): Record<Name, SystemCall> {
  return wrap(calls, (error) => -errorNumber(error));
}

/** WASI's way of failing: the error number is the result. */
export function wasiCalls<Name extends string>(calls: Record<Name, SystemCall>): Record<Name, SystemCall> {
  return wrap(calls, errorNumber);
}

function wrap<Name extends string>(calls: Record<Name, SystemCall>, failed: (error: unknown) => number) {
  const wrapped = {} as Record<Name, SystemCall>;
  for (const [name, call] of Object.entries(calls) as [Name, SystemCall][])
    wrapped[name] = (...args) => {
      try {
        return call(...args);
      } catch (error) {
        return failed(error);
      }
    };
  return wrapped;
}
