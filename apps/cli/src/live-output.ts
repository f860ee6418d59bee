// Streams text to standard output with a live line below it on a terminal: the layer in flight, memory,
// bytes read, tokens per second. Elsewhere the text goes out as it is and the line once, at the end.

import type { Model } from '@airllm/core';
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import prettyBytes from 'pretty-bytes';

const REFRESH_MS = 100;

export class LiveOutput {
  readonly #model: Model;
  readonly #bytesAtStart: number;
  readonly #live: ReturnType<typeof createLogUpdate> | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #started = performance.now();
  #line = '';
  #stage = 0;
  #tokens = 0;
  #firstTokenAt: number | undefined;

  constructor(model: Model) {
    this.#model = model;
    this.#bytesAtStart = model.stats.bytesRead;
    if (!process.stdout.isTTY) return;
    this.#live = createLogUpdate(process.stdout);
    this.#timer = setInterval(() => this.#render(), REFRESH_MS);
  }

  /** For `onStage`. */
  readonly onStage = (stage: number): void => {
    this.#stage = stage;
  };

  write(text: string): void {
    this.#tokens += 1;
    this.#firstTokenAt ??= performance.now();
    if (!this.#live) {
      process.stdout.write(text);
      return;
    }
    const lines = (this.#line + text).split('\n');
    this.#line = lines.pop() ?? '';
    for (const line of lines) this.#live.persist(line);
    this.#render();
  }

  /** Ends the text and leaves the last state of the line on standard error. */
  end(): void {
    clearInterval(this.#timer);
    if (this.#live) {
      this.#live.clear();
      this.#live.done();
      process.stdout.write(this.#line);
    }
    if (this.#tokens === 0) return;
    process.stdout.write('\n');
    process.stderr.write(`${pc.dim(this.#status())}\n`);
  }

  #render(): void {
    this.#live?.(`${this.#line}\n${pc.dim(this.#status())}`);
  }

  #status(): string {
    const { layers, bytesRead, residentBytes } = this.#model.stats;
    const name = layers[this.#stage]?.name ?? 'head';
    return [
      `${name} of ${layers.length - 1}`,
      `${prettyBytes(residentBytes)} in memory`,
      `${prettyBytes(bytesRead - this.#bytesAtStart)} read`,
      `${this.#tokens} tokens, ${this.#tokensPerSecond().toFixed(1)} tok/s`,
    ].join(' · ');
  }

  /** From the first token on where there are more than one, else from the start. */
  #tokensPerSecond(): number {
    if (this.#firstTokenAt === undefined) return 0;
    const now = performance.now();
    if (this.#tokens > 1) return ((this.#tokens - 1) / (now - this.#firstTokenAt)) * 1000;
    return (this.#tokens / (now - this.#started)) * 1000;
  }
}
