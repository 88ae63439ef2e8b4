import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeriesSampler, type TypeCount } from "./sampler.js";

type Changes = [number, TypeCount][];

/** The numbers of all types at a sample, by filling forward. */
function filled(
  samples: readonly { event: number; changes: Iterable<[number, TypeCount]> }[],
): Map<number, [number, TypeCount][]> {
  const state = new Map<number, TypeCount>();
  return new Map(
    samples.map(({ event, changes }) => {
      for (const [type, count] of changes) state.set(type, count);
      return [event, [...state].sort(([x], [y]) => x - y)];
    }),
  );
}

const changes: fc.Arbitrary<Changes> = fc
  .uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 4 })
  .chain((types) =>
    fc.tuple(...types.map((type) => fc.nat(99).map((n): [number, TypeCount] => [type, { objects: n, bytes: n * 16 }]))),
  );

describe("series sampler", () => {
  it("keeps at every sample that stays exactly what all samples together say (property)", () => {
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 80, size: "max" }), fc.integer({ min: 3, max: 12 }), (all, limit) => {
        const sampler = new SeriesSampler(10, limit);
        const naive = all.map((list, i) => ({ event: i * 10, changes: list }));
        for (const { event, changes } of naive) sampler.add(event, event / 2, changes);
        const { samples } = sampler;
        expect(samples.length).toBeLessThanOrEqual(limit);
        if (all.length > 0) {
          expect(samples[0]!.event).toBe(0);
          expect(samples[samples.length - 1]!.event).toBe((all.length - 1) * 10);
        }
        const expected = filled(naive);
        for (const [event, state] of filled(samples)) expect(state, `at ${event}`).toEqual(expected.get(event));
      }),
    );
  });

  it("doubles its interval when it thins out, and asks for nothing before its time", () => {
    const sampler = new SeriesSampler(100, 5);
    const added: number[] = [];
    for (let event = 0; event < 3000; event += 10) {
      if (event < sampler.nextAt) continue;
      added.push(event);
      sampler.add(event, 0, []);
    }
    expect(added.slice(0, 7)).toEqual([0, 100, 200, 300, 400, 500, 700]);
    expect(sampler.samples.length).toBeLessThanOrEqual(5);
    expect(sampler.interval).toBe(800);
  });
});
