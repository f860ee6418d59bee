// Progress as users see it: what is being done, how far it is, how fast, and how long it will take.

export type ShardPhase = 'wait' | 'write' | 'verify' | 'delete';

export interface ShardProgress {
  /** `wait`: another process works on these shards. */
  readonly phase: ShardPhase;
  /** Name of the file at hand. */
  readonly file: string;
  readonly filesDone: number;
  readonly filesTotal: number;
  /** Bytes read so far in this phase, and in all; those of earlier runs are in neither. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Over the last seconds. */
  readonly bytesPerSecond: number;
  /** Undefined until a rate is known. */
  readonly secondsLeft: number | undefined;
}

export type OnShardProgress = (progress: ShardProgress) => void;

/** The rate is that of this long. */
const WINDOW_MS = 5_000;

/** Counts bytes of one phase and reports them. */
export class ProgressMeter {
  readonly #phase: ShardPhase;
  readonly #totals: { readonly files: number; readonly bytes: number };
  readonly #report: OnShardProgress | undefined;
  readonly #marks: { readonly at: number; readonly bytes: number }[] = [{ at: performance.now(), bytes: 0 }];
  #doneBytes = 0;
  #filesDone = 0;

  constructor(
    phase: ShardPhase,
    totals: { readonly files: number; readonly bytes: number; readonly filesDone?: number },
    report: OnShardProgress | undefined,
  ) {
    this.#phase = phase;
    this.#totals = totals;
    this.#filesDone = totals.filesDone ?? 0;
    this.#report = report;
  }

  addBytes(file: string, bytes: number): void {
    this.#doneBytes += bytes;
    this.#emit(file);
  }

  addFile(file: string): void {
    this.#filesDone += 1;
    this.#emit(file);
  }

  #emit(file: string): void {
    if (!this.#report) return;
    const bytesPerSecond = this.#rate();
    const leftBytes = Math.max(0, this.#totals.bytes - this.#doneBytes);
    this.#report({
      phase: this.#phase,
      file,
      filesDone: this.#filesDone,
      filesTotal: this.#totals.files,
      doneBytes: this.#doneBytes,
      totalBytes: this.#totals.bytes,
      bytesPerSecond,
      secondsLeft: bytesPerSecond > 0 ? leftBytes / bytesPerSecond : undefined,
    });
  }

  #rate(): number {
    const now = performance.now();
    this.#marks.push({ at: now, bytes: this.#doneBytes });
    // Of several marks that are old enough the latest is kept to measure from.
    while (this.#marks.length > 2 && now - (this.#marks[1]?.at ?? now) > WINDOW_MS) this.#marks.shift();
    const first = this.#marks[0];
    if (!first || now === first.at) return 0;
    return ((this.#doneBytes - first.bytes) / (now - first.at)) * 1000;
  }
}
