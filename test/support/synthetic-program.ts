/**
 * A make-believe interpreter for tests and measurements of the codec and the fold: functions of bytecodes, each with a fixed recipe of
 * refcount writes on constants, locals, temporaries and elements of containers; loops, calls, branches on data; blocks from a
 * last-in-first-out allocator. The stream is consistent: what it increfs is alive, every birth has a block. About nine events in
 * ten are refcount changes, as in a recording. Deterministic by seed.
 */
import { eventNumber } from "../../src/base/ids.js";
import { type EventColumns, Kind } from "../../src/trace/events.js";

type Role = "constant" | "local" | "element" | "temporary";
interface Write {
  kind: number;
  site: number;
  role: Role;
  index: number;
}
interface Bytecode {
  location: number;
  writes: Write[];
  /** What else it does, after its writes. */
  act: "nothing" | "build" | "drop" | "loop" | "call" | "branch";
  target: number;
  site: number;
}

const SIZES = [16, 32, 48, 64, 128];

/** Fills columns with the next events of the program, as many as fit; call again for more. */
export function syntheticProgram(seed: number): (columns: EventColumns) => void {
  let state = seed >>> 0 || 1;
  const random = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };

  let locations = 1;
  const functions: Bytecode[][] = Array.from({ length: 40 }, (_, self) =>
    Array.from({ length: 12 + random(30) }, (_, at): Bytecode => {
      const roles: Role[] = ["constant", "local", "local", "element", "temporary"];
      const writes = Array.from({ length: random(5) }, (): Write[] => {
        const role = roles[random(5)]!;
        const index = random(role === "constant" ? 20 : 6);
        return [
          { kind: Kind.incref, site: 1 + random(300), role, index },
          { kind: Kind.decref, site: 301 + random(900), role, index },
        ];
      }).flat();
      const roll = random(20);
      const act =
        roll < 2
          ? "build"
          : roll < 3
            ? "drop"
            : roll < 5
              ? "loop"
              : roll < 7
                ? "branch"
                : roll < 9
                  ? "call"
                  : "nothing";
      const target =
        act === "loop" ? Math.max(0, at - 1 - random(8)) : act === "branch" ? at + 2 : (self + 1 + random(8)) % 40;
      return { location: locations++, writes, act, target, site: 1201 + random(40) };
    }),
  );

  const constants = Array.from({ length: 20 }, (_, i) => 0x100000 + i * 48);
  const freeLists: number[][] = SIZES.map(() => []);
  let frontier = 0x200000;
  const elements: { address: number; block: number; size: number; type: number }[] = [];
  const stack: { code: number; at: number; turns: number; locals: number[] }[] = [];
  // Events of the bytecode under way, flushed into columns as they have room.
  const queue: number[] = [];
  let taken = 0;
  const emit = (kind: number, site: number, location: number, address: number, a = 0, b = 0): void => {
    queue.push(kind, site, location, address, a, b);
  };

  function build(location: number, site: number): number {
    const type = 1 + random(12);
    const size = SIZES[type % SIZES.length]!;
    const block = freeLists[type % SIZES.length]!.pop() ?? frontier;
    if (block === frontier) frontier += size + 16;
    const address = block + (type % 2 ? 16 : 0);
    emit(Kind.alloc, site, location, block, size, 3);
    emit(Kind.new, site + 40, location, address, type, size + 8);
    elements.push({ address, block, size, type });
    return address;
  }
  function drop(location: number, site: number): void {
    if (elements.length < 30) return;
    const at = random(16) === 0 ? random(elements.length - 16) : elements.length - 1 - random(4);
    const { address, block, size, type } = elements[at]!;
    for (const frame of stack) if (frame.locals.includes(address)) return;
    elements[at] = elements[elements.length - 1]!;
    elements.pop();
    emit(Kind.decref, site, location, address);
    emit(Kind.dealloc, site + 80, location, address, type, size + 8);
    emit(Kind.free, site + 120, location, block);
    freeLists[type % SIZES.length]!.push(block);
  }
  function enter(code: number): void {
    const locals = Array.from({ length: 6 }, () =>
      elements.length ? elements[random(elements.length)]!.address : constants[0]!,
    );
    stack.push({ code, at: 0, turns: 0, locals });
    emit(Kind.call, 1300, functions[code]![0]!.location, 0, code + 1);
  }

  function bytecode(): void {
    if (stack.length === 0) enter(random(40));
    const frame = stack[stack.length - 1]!;
    const body = functions[frame.code]!;
    const op = body[frame.at];
    if (op === undefined) {
      emit(Kind.return, 1301, body[body.length - 1]!.location, 0, frame.code + 1);
      stack.pop();
      return;
    }
    frame.at++;
    for (const { kind, site, role, index } of op.writes) {
      const address =
        role === "constant"
          ? constants[index]!
          : role === "local" || elements.length === 0
            ? frame.locals[index]!
            : role === "element"
              ? elements[(frame.turns * 7 + index) % elements.length]!.address
              : elements[elements.length - 1]!.address;
      emit(kind, site, op.location, address);
    }
    if (op.act === "build") frame.locals[op.target % 6] = build(op.location, op.site);
    else if (op.act === "drop") drop(op.location, op.site);
    else if (op.act === "branch" && random(3) === 0) frame.at = op.target;
    else if (op.act === "call" && stack.length < 6) enter(op.target);
    else if (op.act === "loop" && frame.turns++ < 40) frame.at = op.target;
  }

  let produced = 0;
  return (columns) => {
    const { kind, site, location, address, a, b } = columns;
    columns.first = eventNumber(produced);
    columns.count = kind.length;
    for (let i = 0; i < kind.length; i++) {
      if (taken === queue.length) {
        queue.length = 0;
        taken = 0;
        while (queue.length === 0) bytecode();
      }
      kind[i] = queue[taken]!;
      site[i] = queue[taken + 1]!;
      location[i] = queue[taken + 2]!;
      address[i] = queue[taken + 3]!;
      a[i] = queue[taken + 4]!;
      b[i] = queue[taken + 5]!;
      taken += 6;
    }
    produced += kind.length;
  };
}
