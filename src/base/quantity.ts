/** Numbers with their units, for people. `--json` gives them plain. */

/** 1234567 → "1,234,567". */
export const count = (n: number): string => Math.round(n).toLocaleString("en-US");

/** Bytes in decimal units: 1234567 → "1.2 MB". */
export function bytes(n: number): string {
  if (n < 1000) return `${n} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = n / 1000;
  let unit = 0;
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

/** Seconds: 0.0123 → "12 ms", 83 → "1 min 23 s". */
export function seconds(n: number): string {
  if (n < 0.9995) return `${Math.round(n * 1000)} ms`;
  if (n < 59.95) return `${n.toFixed(1)} s`;
  const whole = Math.round(n);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** "1 object", "2 objects". */
export const plural = (n: number, noun: string): string => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** A rate: 9.789 → "9.79", 0.00123 → "0.0012". */
export const rate = (n: number): string => (n >= 0.01 ? String(Math.round(n * 100) / 100) : n.toPrecision(2));

/** The unit of a rate as it is shown: "object" of 1, "objects" of others. */
export const unitOfRate = (n: number, units: string): string => (rate(n) === "1" ? units.slice(0, -1) : units);
