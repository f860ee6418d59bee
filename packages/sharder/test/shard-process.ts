// Starts shard-child.mjs and talks to it.

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('./shard-child.mjs', import.meta.url));

export interface ShardProcessOptions {
  readonly model: string;
  readonly base: string;
  readonly format: string;
  readonly pauseMs?: number;
}

export interface Outcome {
  readonly done?: boolean;
  readonly phases?: readonly string[];
  readonly code?: string;
  readonly message?: string;
  readonly fields?: Record<string, unknown>;
}

export class ShardProcess {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #ready: Promise<void>;
  #output = '';
  /** Looks at every piece of output, and at the end of it. */
  #onOutput: () => void = () => undefined;

  constructor({ model, base, format, pauseMs = 0 }: ShardProcessOptions) {
    this.#child = spawn(process.execPath, [SCRIPT, model, base, format, String(pauseMs)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#closed = once(this.#child, 'close');
    this.#ready = new Promise((resolve) => {
      this.#child.stdout?.on('data', (data: Buffer) => {
        this.#output += data.toString();
        if (this.#output.startsWith('ready\n')) resolve();
        this.#onOutput();
      });
    });
  }

  /** Lets it work, once it has started. */
  async go(): Promise<void> {
    await this.#ready;
    this.#child.stdin?.end('go\n');
  }

  /** Progress events so far. */
  get events(): number {
    return this.#output.split('\n')[1]?.length ?? 0;
  }

  /** Waits until it has come to so many progress events, or has ended. */
  async reached(events: number): Promise<void> {
    const come = new Promise<void>((resolve) => {
      this.#onOutput = () => {
        if (this.events >= events) resolve();
      };
      this.#onOutput();
    });
    await Promise.race([come, this.#closed]);
  }

  /** Ends it at once, whatever it is doing. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }

  /** Waits for its end. Undefined when it was killed before it had anything to say. */
  async outcome(): Promise<Outcome | undefined> {
    await this.#closed;
    const line = this.#output.split('\n')[2] ?? '';
    return line === '' ? undefined : (JSON.parse(line) as Outcome);
  }
}
