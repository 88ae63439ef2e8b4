/**
 * The socket calls over the program's own loopback network (loopback.ts). Addresses are `struct sockaddr_in`: family (2 bytes, host
 * order), port and address (network order), 16 bytes in all. Names are not resolved: only "localhost" and numbers.
 */
import { fileType, openFlag } from "./description.js";
import { fail } from "./errno.js";
import { type Kernel, linuxCalls } from "./kernel.js";
import { type InternetAddress, Socket } from "./loopback.js";

const inet = 2;
const streamType = 1;
const datagramType = 2;
const tcp = 6;
const udp = 17;
const addressSize = 16;
const messagePeek = 2;
const messageDoNotWait = 0x40;
const closeOnExec = 0o2000000;
/** Results of getaddrinfo and getnameinfo (netdb.h). */
const eai = { noName: -2, family: -6, socketType: -7, service: -8, memory: -10, overflow: -12 };
const numericOnlyFlag = 8;
const localhost = 0x7f000001;
/** An address of the class that is never routed; connecting to it fails with ENETUNREACH. */
const nowhere = 0xf0000001;

function numericAddress(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

const addressText = (host: number): string => [24, 16, 8, 0].map((shift) => (host >>> shift) & 255).join(".");

export function socketCalls(kernel: Kernel) {
  const socket = (descriptor: number): Socket => {
    const description = kernel.descriptors.get(descriptor);
    return description instanceof Socket ? description : fail("ENOTSOCK");
  };
  const readAddress = (address: number, length: number): InternetAddress => {
    if (length < addressSize) fail("EINVAL");
    if (kernel.memory.u16(address) !== inet) fail("EAFNOSUPPORT");
    const { view } = kernel.memory;
    return { port: view.getUint16((address >>> 0) + 2), host: view.getUint32((address >>> 0) + 4) };
  };
  const writeAddress = (to: number, lengthAt: number, { host, port }: InternetAddress): number => {
    if (to === 0) return 0;
    const whole = Buffer.alloc(addressSize);
    whole.writeUInt16LE(inet, 0);
    whole.writeUInt16BE(port, 2);
    whole.writeUInt32BE(host, 4);
    const room = lengthAt === 0 ? addressSize : kernel.memory.u32(lengthAt);
    kernel.memory.put(to, whole.subarray(0, Math.min(room, addressSize)));
    if (lengthAt !== 0) kernel.memory.setU32(lengthAt, addressSize);
    return 0;
  };
  /** Runs one transfer with the non-blocking flag that its `flags` ask for. */
  const withFlags = (of: Socket, flags: number, run: () => number): number => {
    const before = of.flags;
    if ((flags & messageDoNotWait) !== 0) of.flags |= openFlag.nonBlocking;
    try {
      return run();
    } finally {
      of.flags = before;
    }
  };
  const parts = (message: number): [number, number][] => {
    const vectors = kernel.memory.u32(message + 8);
    const count = kernel.memory.i32(message + 12);
    return Array.from({ length: count }, (_, index) => [
      kernel.memory.u32(vectors + 8 * index),
      kernel.memory.u32(vectors + 8 * index + 4),
    ]);
  };
  const newAddressInformation = (to: number, type: number, protocol: number, at: InternetAddress): number => {
    const address = kernel.guest.malloc(addressSize) >>> 0;
    const information = kernel.guest.malloc(32) >>> 0;
    if (address === 0 || information === 0) return eai.memory;
    kernel.memory.fill(information, 32);
    writeAddress(address, 0, at);
    for (const [offset, value] of [
      [4, inet],
      [8, type],
      [12, protocol],
      [16, addressSize],
      [20, address],
    ] as const)
      kernel.memory.setU32(information + offset, value);
    kernel.memory.setU32(to, information);
    return 0;
  };

  const calls = linuxCalls({
    __syscall_socket(domain: number, kind: number, _protocol: number) {
      if (domain !== inet) fail("EAFNOSUPPORT");
      if ((kind & 0xf) !== streamType) fail("EPROTONOSUPPORT");
      const created = new Socket(kernel.network, (kind & openFlag.nonBlocking) !== 0);
      return kernel.descriptors.add(created, (kind & closeOnExec) !== 0);
    },
    __syscall_bind(descriptor: number, address: number, length: number) {
      socket(descriptor).bind(readAddress(address, length));
      return 0;
    },
    __syscall_listen(descriptor: number, backlog: number) {
      socket(descriptor).listen(backlog);
      return 0;
    },
    __syscall_connect(descriptor: number, address: number, length: number) {
      socket(descriptor).connect(readAddress(address, length));
      return 0;
    },
    __syscall_accept4(descriptor: number, address: number, length: number, flags: number) {
      kernel.options.systemCall();
      const accepted = socket(descriptor).accept((flags & openFlag.nonBlocking) !== 0);
      const number = kernel.descriptors.add(accepted, (flags & closeOnExec) !== 0);
      writeAddress(address, length, accepted.remote);
      return number;
    },
    __syscall_getsockname: (descriptor: number, to: number, length: number) =>
      writeAddress(to, length, socket(descriptor).local),
    __syscall_getpeername: (descriptor: number, to: number, length: number) =>
      writeAddress(to, length, socket(descriptor).remote),
    __syscall_getsockopt(descriptor: number, level: number, option: number, to: number, length: number) {
      const of = socket(descriptor);
      const value = { 2: 0, 3: streamType, 4: 0, 30: of.isListening ? 1 : 0 }[option];
      if (level !== 1 || value === undefined) fail("ENOPROTOOPT");
      if (kernel.memory.u32(length) < 4) fail("EINVAL");
      kernel.memory.setU32(to, value);
      kernel.memory.setU32(length, 4);
      return 0;
    },
    __syscall_sendto(descriptor: number, address: number, length: number, flags: number) {
      kernel.options.systemCall();
      const to = socket(descriptor);
      return withFlags(to, flags, () => to.write(kernel.memory.slice(address, length)));
    },
    __syscall_recvfrom(descriptor: number, to: number, length: number, flags: number, address: number, size: number) {
      kernel.options.systemCall();
      const from = socket(descriptor);
      const look = (flags & messagePeek) !== 0;
      const count = withFlags(from, flags, () => from.read(kernel.memory.slice(to, length), undefined, look));
      kernel.memory.wrote(to, count);
      if (address !== 0) writeAddress(address, size, from.remote);
      return count;
    },
    __syscall_sendmsg(descriptor: number, message: number, flags: number) {
      kernel.options.systemCall();
      const to = socket(descriptor);
      const whole = Buffer.concat(parts(message).map(([address, length]) => kernel.memory.slice(address, length)));
      return withFlags(to, flags, () => to.write(whole));
    },
    __syscall_recvmsg(descriptor: number, message: number, flags: number) {
      kernel.options.systemCall();
      const from = socket(descriptor);
      const places = parts(message);
      const whole = Buffer.alloc(places.reduce((sum, [, length]) => sum + length, 0));
      const count = withFlags(from, flags, () => from.read(whole, undefined, (flags & messagePeek) !== 0));
      let done = 0;
      for (const [address, length] of places) {
        const part = whole.subarray(done, Math.min(count, done + length));
        kernel.memory.put(address, part);
        done += part.length;
      }
      kernel.memory.setU32(message + 20, 0);
      kernel.memory.setU32(message + 24, 0);
      return count;
    },
  });

  return {
    ...calls,
    /** True if the descriptor is a socket; the outcome, as a system call's, goes to `result`. */
    _try_shutdown(descriptor: number, how: number, result: number): number {
      const description = kernel.descriptors.find(descriptor);
      if (description === undefined || (Number(description.status().mode) & fileType.mask) !== fileType.socket)
        return 0;
      const { shutdown } = linuxCalls({
        shutdown() {
          socket(descriptor).shutdown(how);
          return 0;
        },
      });
      kernel.memory.setU32(result, shutdown());
      return 1;
    },
    getaddrinfo(node: number, service: number, hints: number, to: number): number {
      const [flags, family, kind, protocol] = [0, 4, 8, 12].map((offset) =>
        hints === 0 ? 0 : kernel.memory.i32(hints + offset),
      ) as [number, number, number, number];
      if (node === 0 && service === 0) return eai.noName;
      if (family !== 0 && family !== inet) return eai.family;
      // CPython asks for the address "" as one of datagrams, whatever it is for (setipaddr in Modules/socketmodule.c).
      if (kind !== 0 && kind !== streamType && kind !== datagramType) return eai.socketType;
      const serviceName = service === 0 ? "0" : kernel.memory.text(service);
      if (!/^\d+$/.test(serviceName) || Number(serviceName) > 65535) return eai.service;
      const passive = (flags & 1) !== 0;
      const name = node === 0 ? (passive ? "0.0.0.0" : "127.0.0.1") : kernel.memory.text(node);
      const host = name === "localhost" ? localhost : numericAddress(name);
      if (host === undefined) return eai.noName;
      const type = kind || streamType;
      return newAddressInformation(to, type, protocol || (type === datagramType ? udp : tcp), {
        host,
        port: Number(serviceName),
      });
    },
    getnameinfo(
      address: number,
      length: number,
      host: number,
      hostLength: number,
      service: number,
      serviceLength: number,
      flags: number,
    ): number {
      if (length < addressSize || kernel.memory.u16(address) !== inet) return eai.family;
      const at = readAddress(address, length);
      const write = (to: number, room: number, text: string): boolean => {
        if (to === 0 || room === 0) return true;
        if (text.length + 1 > room) return false;
        kernel.memory.setByteString(to, `${text}\0`);
        return true;
      };
      const name = at.host === localhost && (flags & 1) === 0 ? "localhost" : addressText(at.host);
      if ((flags & numericOnlyFlag) !== 0 && name !== "localhost") return eai.noName;
      return write(host, hostLength, name) && write(service, serviceLength, `${at.port}`) ? 0 : eai.overflow;
    },
    /** No database of protocols. */
    getprotobyname: () => 0,
    /** The address of a host in network order, for gethostbyname, which has no way to fail. */
    _emscripten_lookup_name(name: number): number {
      const text = kernel.memory.text(name);
      const host = text === "localhost" ? localhost : (numericAddress(text) ?? nowhere);
      return ((host & 255) << 24) | ((host & 0xff00) << 8) | ((host >>> 8) & 0xff00) | (host >>> 24);
    },
    // Hooks of the compiler's runtime into sockets of its own; "not one of those" lets the calls above have them.
    _maybe_connect_async: () => null,
    _maybe_recvfrom_async: () => null,
    _maybe_sendto_async: () => null,
    _maybe_poll_async: () => null,
    _try_fcntl64: () => 0,
  };
}
