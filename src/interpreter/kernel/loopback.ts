/**
 * Sockets that never leave the program: stream sockets of the address family INET, whose only network is 127.0.0.1 inside this very
 * process. asyncio needs them (the self-pipe of its event loop is a pair of connected sockets, which CPython makes on this platform by
 * listening and connecting), and with them it runs as it is in the standard library. A connection to any other
 * address fails with ENETUNREACH: nothing reaches the machine's network, in recording and in re-execution alike.
 *
 * Ports for `bind` to 0 count up from 49152, so that two runs see the same ones.
 */
import { Description, type FileStatus, fileType, openFlag, pollBit } from "./description.js";
import { fail } from "./errno.js";
import type { Interrupt } from "./interrupt.js";
import { anonymousStatus, ByteQueue } from "./pipes.js";

export interface InternetAddress {
  /** Four bytes, the first the most significant. */
  host: number;
  port: number;
}

const loopback = 0x7f000001;
const isLoopback = (host: number): boolean => host >>> 24 === 127;

interface Listener {
  readonly backlog: number;
  readonly waiting: Socket[];
}

/** The program's own network: who listens where. */
export class LoopbackNetwork {
  readonly listeners = new Map<number, Listener>();
  readonly #bound = new Set<number>();
  #nextPort = 49152;
  #inodes = 0n;

  constructor(readonly interrupt: Interrupt) {}

  inode(): bigint {
    return ++this.#inodes;
  }

  takePort(wanted: number): number {
    if (wanted !== 0) {
      if (this.#bound.has(wanted)) fail("EADDRINUSE");
      this.#bound.add(wanted);
      return wanted;
    }
    while (this.#bound.has(this.#nextPort)) this.#nextPort++;
    this.#bound.add(this.#nextPort);
    return this.#nextPort++;
  }

  releasePort(port: number): void {
    this.#bound.delete(port);
    this.listeners.delete(port);
  }
}

export class Socket extends Description {
  #local: InternetAddress | undefined;
  #remote: InternetAddress | undefined;
  #ownsPort = false;
  #listener: Listener | undefined;
  #incoming: ByteQueue | undefined;
  #outgoing: ByteQueue | undefined;
  readonly #inode: bigint;

  constructor(
    private readonly network: LoopbackNetwork,
    nonBlocking: boolean,
  ) {
    super(openFlag.readWrite | (nonBlocking ? openFlag.nonBlocking : 0));
    this.#inode = network.inode();
  }

  override status(): FileStatus {
    return anonymousStatus(fileType.socket, this.#inode);
  }

  bind(address: InternetAddress): void {
    if (this.#local !== undefined) fail("EINVAL");
    if (address.host !== 0 && !isLoopback(address.host)) fail("EADDRNOTAVAIL");
    this.#local = { host: address.host, port: this.network.takePort(address.port) };
    this.#ownsPort = true;
  }

  listen(backlog: number): void {
    this.#local ??= { host: 0, port: this.network.takePort(0) };
    this.#ownsPort = true;
    this.#listener ??= { backlog: Math.max(1, backlog), waiting: [] };
    this.network.listeners.set(this.#local.port, this.#listener);
  }

  connect(address: InternetAddress): void {
    if (this.#remote !== undefined) fail("EISCONN");
    if (address.host !== 0 && !isLoopback(address.host)) fail("ENETUNREACH");
    const listener = this.network.listeners.get(address.port);
    if (listener === undefined) fail("ECONNREFUSED");
    if (listener.waiting.length >= listener.backlog) fail(this.nonBlocking ? "EAGAIN" : "ETIMEDOUT");
    if (this.#local === undefined) {
      this.#local = { host: loopback, port: this.network.takePort(0) };
      this.#ownsPort = true;
    }
    this.#remote = { host: address.host === 0 ? loopback : address.host, port: address.port };
    const other = new Socket(this.network, false);
    other.#local = this.#remote;
    other.#remote = this.#local;
    this.#outgoing = other.#incoming = new ByteQueue(212992);
    this.#incoming = other.#outgoing = new ByteQueue(212992);
    listener.waiting.push(other);
  }

  accept(nonBlocking: boolean): Socket {
    const listener = this.#listener ?? fail("EINVAL");
    while (listener.waiting.length === 0) {
      if (this.nonBlocking) fail("EAGAIN");
      if (this.network.interrupt.wait(Number.POSITIVE_INFINITY)) fail("EINTR");
    }
    const socket = listener.waiting.shift()!;
    if (nonBlocking) socket.flags |= openFlag.nonBlocking;
    return socket;
  }

  get local(): InternetAddress {
    return this.#local ?? { host: 0, port: 0 };
  }

  get remote(): InternetAddress {
    return this.#remote ?? fail("ENOTCONN");
  }

  get isListening(): boolean {
    return this.#listener !== undefined;
  }

  override read(target: Uint8Array, position?: number, look = false): number {
    if (position !== undefined) fail("ESPIPE");
    return (this.#incoming ?? fail("ENOTCONN")).read(target, this.nonBlocking, this.network.interrupt, look);
  }

  override write(source: Uint8Array, position?: number): number {
    if (position !== undefined) fail("ESPIPE");
    const queue = this.#outgoing ?? fail("ENOTCONN");
    if (queue.writers === 0) fail("EPIPE");
    return queue.write(source, this.nonBlocking, this.network.interrupt);
  }

  /** `how`: 0 no more reading, 1 no more writing, 2 neither. */
  shutdown(how: number): void {
    if (this.#remote === undefined) fail("ENOTCONN");
    if (how === 0 || how === 2) this.#incoming!.readers = 0;
    if (how === 1 || how === 2) this.#outgoing!.writers = 0;
  }

  override ready(): number {
    if (this.#listener !== undefined) return this.#listener.waiting.length > 0 ? pollBit.in : 0;
    const incoming = this.#incoming;
    const outgoing = this.#outgoing;
    if (incoming === undefined || outgoing === undefined) return pollBit.out | pollBit.hangUp;
    let bits = 0;
    if (incoming.length > 0 || incoming.writers === 0) bits |= pollBit.in;
    if (outgoing.readers === 0 || outgoing.length < outgoing.capacity) bits |= pollBit.out;
    if (incoming.writers === 0 && outgoing.writers === 0) bits |= pollBit.hangUp;
    return bits;
  }

  override close(): void {
    if (this.#ownsPort) this.network.releasePort(this.#local!.port);
    for (const waiting of this.#listener?.waiting ?? []) waiting.close();
    if (this.#incoming !== undefined) this.#incoming.readers = 0;
    if (this.#outgoing !== undefined) this.#outgoing.writers = 0;
  }
}
