/** Rows of four numbers, handed on in parts, so that a long list never stands in memory as a whole. */

const ROWS = 65536;

export class PartWriter {
  readonly #write: (columns: readonly Uint32Array[]) => void;
  #columns = fresh();
  #n = 0;

  constructor(write: (columns: readonly Uint32Array[]) => void) {
    this.#write = write;
  }

  row(a: number, b: number, c: number, d: number): void {
    const [first, second, third, fourth] = this.#columns;
    const n = this.#n++;
    first[n] = a;
    second[n] = b;
    third[n] = c;
    fourth[n] = d;
    if (this.#n === ROWS) this.end();
  }

  /** Hands on what is left. */
  end(): void {
    if (this.#n === 0) return;
    this.#write(this.#columns.map((column) => column.slice(0, this.#n)));
    this.#columns = fresh();
    this.#n = 0;
  }
}

const fresh = (): Uint32Array[] => Array.from({ length: 4 }, () => new Uint32Array(ROWS));
