/**
 * Clocks and the calendar. Local time is Node's, which follows TZ as the process was started with it. `struct tm` is nine 32-bit
 * integers (second, minute, hour, day, month, year - 1900, weekday, day of the year, daylight saving), then the offset
 * from UTC in seconds.
 */
import { fail } from "./errno.js";
import { type Kernel, wasiCalls } from "./kernel.js";

const millisecondsPerDay = 86_400_000;

/** Wall-clock nanoseconds: the time of day at the start, moved on by the clock that never goes back. */
function wallClock(): () => bigint {
  const start = BigInt(Date.now()) * 1_000_000n;
  const monotonic = process.hrtime.bigint();
  return () => start + process.hrtime.bigint() - monotonic;
}

function dayOfYear(date: Date): number {
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return (day - Date.UTC(date.getFullYear(), 0, 1)) / millisecondsPerDay;
}

/** Minutes west of UTC in January and July: the larger one is standard time, on either side of the equator. */
function yearOffsets(year: number): { january: number; july: number } {
  return { january: new Date(year, 0, 1).getTimezoneOffset(), july: new Date(year, 6, 1).getTimezoneOffset() };
}

function isDaylightSaving(date: Date): boolean {
  const { january, july } = yearOffsets(date.getFullYear());
  return january !== july && date.getTimezoneOffset() === Math.min(january, july);
}

/** The abbreviation of the zone at a date; where no dictionary has one, the offset as the time zone database writes it ("+0530"). */
function zoneName(date: Date): string {
  const { january, july } = yearOffsets(date.getFullYear());
  if (january === 0 && july === 0) return "UTC"; // Asking the dictionaries takes 25 ms of every start.
  for (const locale of ["en-US", "en-GB", "en-AU", "en-IN"]) {
    const parts = new Intl.DateTimeFormat(locale, { timeZoneName: "short" }).formatToParts(date);
    const name = parts.find((part) => part.type === "timeZoneName")?.value ?? "";
    if (/^[A-Z]{3,5}$/.test(name)) return name;
  }
  const west = date.getTimezoneOffset();
  const [hours, minutes] = [Math.floor(Math.abs(west) / 60), Math.abs(west) % 60];
  const two = (n: number) => `${n}`.padStart(2, "0");
  return `${west > 0 ? "-" : "+"}${two(hours)}${minutes === 0 ? "" : two(minutes)}`;
}

/** The fields of `struct tm` for a moment, in UTC. */
export function utcFields(date: Date): number[] {
  const firstDay = new Date(date);
  firstDay.setUTCMonth(0, 1);
  return [
    date.getUTCSeconds(),
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth(),
    date.getUTCFullYear() - 1900,
    date.getUTCDay(),
    Math.round((date.getTime() - firstDay.getTime()) / millisecondsPerDay),
    0,
    0,
  ];
}

/** The moment that the fields of a `struct tm` in UTC mean; an invalid date where they mean none. */
export function utcDate(field: (index: number) => number): Date {
  const date = new Date(0);
  date.setUTCFullYear(field(5) + 1900, field(4), field(3));
  date.setUTCHours(field(2), field(1), field(0), 0);
  return date;
}

export function clockCalls(kernel: Kernel) {
  const wall = wallClock();
  let lastLook = 0;
  const idle = new Int32Array(new SharedArrayBuffer(4));

  const writeTime = (to: number, fields: number[]): void => {
    for (const [index, value] of fields.entries()) kernel.memory.setU32(to + 4 * index, value);
  };
  const localFields = (date: Date): number[] => [
    date.getSeconds(),
    date.getMinutes(),
    date.getHours(),
    date.getDate(),
    date.getMonth(),
    date.getFullYear() - 1900,
    date.getDay(),
    dayOfYear(date),
    isDaylightSaving(date) ? 1 : 0,
    -date.getTimezoneOffset() * 60,
  ];

  return {
    ...wasiCalls({
      clock_time_get(clock: number, _precision: bigint, to: number) {
        if (clock === 0) kernel.memory.setU64(to, wall());
        else if (clock === 1) kernel.memory.setU64(to, process.hrtime.bigint());
        else if (clock === 2 || clock === 3) {
          const { user, system } = process.cpuUsage();
          kernel.memory.setU64(to, BigInt(user + system) * 1000n);
        } else fail("EINVAL");
        return 0;
      },
      clock_res_get(clock: number, to: number) {
        if (clock < 0 || clock > 3) fail("EINVAL");
        kernel.memory.setU64(to, clock < 2 ? 1n : 1000n);
        return 0;
      },
    }),
    emscripten_date_now: () => Date.now(),
    /**
     * Only the C library's sleep asks this, in a loop until the time has come (`time.sleep` does not come here, see sleep.ts). A question
     * that follows the last one within a tenth of a millisecond is such a loop: it is made to wait for one.
     */
    emscripten_get_now(): number {
      if (performance.now() - lastLook < 0.1) {
        kernel.options.systemCall();
        Atomics.wait(idle, 0, 0, 1);
      }
      lastLook = performance.now();
      return lastLook;
    },
    _tzset_js(timezone: number, daylight: number, standardName: number, daylightName: number): void {
      const year = new Date().getFullYear();
      const { january, july } = yearOffsets(year);
      const [winter, summer] = january >= july ? [0, 6] : [6, 0];
      kernel.memory.setU32(timezone, Math.max(january, july) * 60);
      kernel.memory.setU32(daylight, january === july ? 0 : 1);
      const standard = zoneName(new Date(year, winter, 1));
      kernel.memory.setByteString(standardName, `${standard}\0`);
      kernel.memory.setByteString(
        daylightName,
        `${january === july ? standard : zoneName(new Date(year, summer, 1))}\0`,
      );
    },
    _localtime_js(seconds: bigint, to: number): void {
      writeTime(to, localFields(new Date(Number(seconds) * 1000)));
    },
    _gmtime_js(seconds: bigint, to: number): void {
      writeTime(to, utcFields(new Date(Number(seconds) * 1000)));
    },
    _mktime_js(at: number): bigint {
      const field = (index: number) => kernel.memory.i32(at + 4 * index);
      const make = (hour: number): Date => {
        const date = new Date(2000, 0, 1);
        date.setFullYear(field(5) + 1900, field(4), field(3));
        date.setHours(hour, field(1), field(0), 0);
        return date;
      };
      let date = make(field(2));
      const wanted = field(8);
      if (wanted >= 0 && wanted !== (isDaylightSaving(date) ? 1 : 0)) {
        // The caller says which side of the change is meant: read the hour on that side.
        const { january, july } = yearOffsets(date.getFullYear());
        const shift = Math.abs(january - july) / 60;
        date = new Date(date.getTime() + (wanted > 0 ? -shift : shift) * 3_600_000);
      }
      if (Number.isNaN(date.getTime())) return -1n;
      writeTime(at, localFields(date));
      return BigInt(date.getTime() / 1000);
    },
    _timegm_js(at: number): bigint {
      const date = utcDate((index) => kernel.memory.i32(at + 4 * index));
      if (Number.isNaN(date.getTime())) return -1n;
      const fields = utcFields(date);
      kernel.memory.setU32(at + 24, fields[6]!);
      kernel.memory.setU32(at + 28, fields[7]!);
      return BigInt(date.getTime() / 1000);
    },
  };
}
