// Buffers that start on page boundaries, as direct I/O needs, in plain JavaScript: WebAssembly memory is mapped by
// pages. One memory holds them all; it is bounded, and whoever wants a buffer waits until one is free.

/** What direct I/O wants offsets, lengths and addresses to be multiples of, on every file system in use. */
export const PAGE_BYTES = 4096;

const WASM_PAGE_BYTES = 65_536;

/** Part of JavaScript engines, but of TypeScript's libraries for browsers only. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
};

export class AlignedPool {
  readonly bufferBytes: number;
  readonly #free: Uint8Array[];
  readonly #waiting: ((buffer: Uint8Array) => void)[] = [];

  /** `bufferBytes` is rounded up to whole pages. Memory is taken by the system as buffers are first written. */
  constructor(count: number, bufferBytes: number) {
    this.bufferBytes = roundUp(bufferBytes, PAGE_BYTES);
    const pages = Math.ceil((count * this.bufferBytes) / WASM_PAGE_BYTES);
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.#free = Array.from(
      { length: count },
      (_, i) => new Uint8Array(buffer, i * this.bufferBytes, this.bufferBytes),
    );
  }

  /** A buffer with whatever was in it; waits until one is free. The first to ask is the first to get. */
  acquire(): Promise<Uint8Array> {
    const buffer = this.#free.pop();
    if (buffer) return Promise.resolve(buffer);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  release(buffer: Uint8Array): void {
    const next = this.#waiting.shift();
    if (next) next(buffer);
    else this.#free.push(buffer);
  }
}

export function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

export function roundDown(value: number, step: number): number {
  return Math.floor(value / step) * step;
}
