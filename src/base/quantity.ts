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
