/** A small module encoded by hand from the specification (section 5), every kind of section in it once. */

/** Unsigned LEB128. */
export function unsigned(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...out, rest];
}

export const section = (id: number, body: readonly number[]): number[] => [id, ...unsigned(body.length), ...body];

const name = (text: string): number[] => [...unsigned(text.length), ...Buffer.from(text)];
const vector = (count: readonly number[], items: readonly (readonly number[])[]): number[] => [
  ...count,
  ...items.flat(),
];

export const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/**
 * The module; `counts` puts other counts before the items of a section, by its id.
 *
 *     import host.f, global host.g   add(a, b) = a + b   store(a, b): mem32[a] = b   table of 3, memory of 1 page
 */
export function modulePieces(counts: Readonly<Record<number, number[]>> = {}): Uint8Array {
  const items: [number, number[][]][] = [
    [
      1,
      [
        [0x60, 2, 0x7f, 0x7f, 1, 0x7f],
        [0x60, 0, 0],
        [0x60, 2, 0x7f, 0x7f, 0],
      ],
    ],
    [2, [[...name("host"), ...name("f"), 0, 1]]],
    [3, [[0], [2]]],
    [4, [[0x70, 0, 3]]],
    [5, [[1, 1, 9]]],
    [
      6,
      [
        [0x7f, 1, 0x41, 5, 0x0b],
        [0x7f, 0, 0x41, 0xb3, 0x7f, 0x0b],
      ],
    ],
    [
      7,
      [
        [...name("add"), 0, 1],
        [...name("memory"), 2, 0],
        [...name("constant"), 3, 1],
      ],
    ],
    [9, [[0, 0x41, 1, 0x0b, 2, 1, 2]]],
    [
      10,
      [
        [7, 0, 0x20, 0, 0x20, 1, 0x6a, 0x0b],
        [11, 1, 1, 0x7f, 0x20, 0, 0x20, 1, 0x36, 2, 0, 0x0b],
      ],
    ],
    [11, [[0, 0x41, 16, 0x0b, 3, 1, 2, 3]]],
  ];
  const sections = items.map(([id, list]) => section(id, vector(counts[id] ?? unsigned(list.length), list)));
  return Uint8Array.from([...HEADER, ...sections.flat()]);
}
