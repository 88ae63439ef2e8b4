/** A set of whole numbers from 0 that lie close together, as those of objects do: a bit each. */

/** Numbers of a page. */
const PAGE = 1 << 15;

export class NumberSet {
  readonly #pages = new Map<number, Uint32Array>();
  size = 0;

  add(number: number): void {
    const page = this.#pages.get(Math.floor(number / PAGE)) ?? new Uint32Array(PAGE / 32);
    this.#pages.set(Math.floor(number / PAGE), page);
    const at = number % PAGE;
    const bit = 1 << (at & 31);
    if ((page[at >> 5]! & bit) === 0) this.size++;
    page[at >> 5]! |= bit;
  }

  has(number: number): boolean {
    const at = number % PAGE;
    const page = this.#pages.get(Math.floor(number / PAGE));
    return page !== undefined && (page[at >> 5]! & (1 << (at & 31))) !== 0;
  }
}
