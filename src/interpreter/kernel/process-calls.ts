/** What a process is given from outside: its environment, memory, entropy and signals. */
import { randomFillSync } from "node:crypto";
import { cString } from "../memory.js";
import type { Kernel } from "./kernel.js";

/** Bytes. The last page stays free, so that an address one past the end is still an address. */
const maximumMemory = 65535 * 65536;
const page = 65536;

export function processCalls(kernel: Kernel) {
  const environment = Object.entries(kernel.options.env).map(([name, value]) => cString(`${name}=${value}`));

  return {
    environ_sizes_get(count: number, size: number): number {
      kernel.memory.setU32(count, environment.length);
      kernel.memory.setU32(
        size,
        environment.reduce((sum, entry) => sum + entry.length, 0),
      );
      return 0;
    },
    environ_get(pointers: number, strings: number): number {
      let at = strings >>> 0;
      for (const [index, entry] of environment.entries()) {
        kernel.memory.setU32(pointers + 4 * index, at);
        kernel.memory.put(at, entry);
        at += entry.length;
      }
      return 0;
    },
    random_get(to: number, size: number): number {
      randomFillSync(kernel.memory.slice(to, size));
      kernel.memory.wrote(to, size >>> 0);
      return 0;
    },
    __syscall_getuid32_js: () => process.getuid?.() ?? 0,
    __syscall_umask_js(mask: number): number {
      const before = kernel.umask;
      kernel.umask = mask & 0o777;
      return before;
    },

    emscripten_get_heap_max: () => maximumMemory,
    /** Grows by a fifth, at most by 96 MiB, at least to what was asked for. */
    emscripten_resize_heap(wanted: number): number {
      const { memory } = kernel.memory;
      const size = memory.buffer.byteLength;
      if (wanted >>> 0 > maximumMemory) return 0;
      const generous = Math.min(size * 1.2, (wanted >>> 0) + 96 * 1024 * 1024);
      for (const target of [Math.max(generous, wanted >>> 0), wanted >>> 0]) {
        try {
          kernel.memory.grow(Math.ceil((Math.min(target, maximumMemory) - size) / page));
          return 1;
        } catch {
          // The host has not that much to give: try with less.
        }
      }
      return 0;
    },

    /** CPython asks between bytecodes and after EINTR: which signal has come from outside? 0 for none. */
    _Py_CheckEmscriptenSignals_Helper(): number {
      kernel.options.poll();
      return kernel.interrupt.take();
    },
  };
}
