// The files that are left of a plan, one after the other: reading runs ahead across files, and the disk takes the end of
// one file while the next is begun.

import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openKernels } from '@airllm/quantizer';
import { toWriteError } from '../errors.js';
import { createWritePool } from '../io/block-writer.js';
import { checksumOfFile } from '../io/file-checksum.js';
import { readAhead } from '../io/read-ahead.js';
import { ReadQueue } from '../io/read-queue.js';
import type { ShardFile } from '../manifest.js';
import type { PlannedFile, ShardPlan } from '../plan/plan-schema.js';
import { sourcePathOf } from '../plan/source-paths.js';
import { ProgressMeter } from '../progress.js';
import { syncFolder, temporaryPath, writeFileDurably } from './durable-file.js';
import type { Journal } from './journal.js';
import { linkShard } from './link-shard.js';
import type { RunState } from './run-state.js';
import { readsOf, type TensorRange } from './tensor-reads.js';
import { writeShard } from './write-shard.js';
import type { WriteShardsOptions } from './write-shards.js';

export interface PipelineContext {
  readonly plan: ShardPlan;
  readonly folder: string;
  readonly state: RunState;
  readonly journal: Journal;
  readonly options: WriteShardsOptions;
  /** Called once a file is on the disk and in the journal. */
  readonly onFinished: (file: ShardFile) => Promise<void>;
}

export class ShardPipeline {
  readonly #context: PipelineContext;
  readonly #meter: ProgressMeter;
  readonly #pool = createWritePool();
  /** The file before the one at hand, on its way to the disk. */
  #finishing: Promise<void> = Promise.resolve();

  constructor(context: PipelineContext) {
    const { plan, state, options } = context;
    this.#context = context;
    const bytes = state.remaining.reduce((sum, file) => sum + bytesToRead(file, state), 0);
    const totals = { files: plan.files.length, filesDone: state.finished.length, bytes };
    this.#meter = new ProgressMeter('write', totals, options.onProgress);
  }

  async run(): Promise<void> {
    const { plan, folder, state, options } = this.#context;
    const { signal, threads } = options;
    const written = state.remaining.filter(({ name }) => !state.linkable.has(name));
    const resolvePath = (source: number): string => sourcePathOf(folder, plan, source);
    const kernels = openKernels({ threads });
    await using reads = new ReadQueue(readAhead(readsOf(written, { plan, resolvePath, kernels })), {
      signal,
      onTake: ({ file, byteLength }) => this.#meter.addBytes(file.name, byteLength),
    });
    try {
      for (const file of state.remaining) {
        const source = state.linkable.get(file.name);
        if (source === undefined) await this.#write(file, reads);
        else await this.#link(file, source);
      }
    } finally {
      // Also after an error: a file that was written gets its name.
      await this.#finishing.catch(() => undefined);
    }
    await this.#finishing;
  }

  async #write(file: PlannedFile, reads: ReadQueue<TensorRange>): Promise<void> {
    const { folder, plan } = this.#context;
    const path = temporaryPath(join(folder, file.name));
    const { doubleQuantization } = plan.options;
    const shard = await writeShard({
      file,
      temporaryPath: path,
      doubleQuantization,
      pool: this.#pool,
      reads,
    });
    try {
      await this.#finishing;
    } catch (error) {
      await shard.abandon();
      throw error;
    }
    this.#finishing = shard.finish().then((finished) => this.#commit(finished));
    // Looked at before the next file is finished; until then a failure is not unhandled.
    this.#finishing.catch(() => undefined);
  }

  async #link(file: PlannedFile, source: string): Promise<void> {
    const { signal } = this.#context.options;
    const { name, key, tensors } = file;
    await this.#finishing;
    let bytes = 0;
    const onBytes = (count: number): void => {
      bytes += count;
      this.#meter.addBytes(name, count);
    };
    const checksum = await checksumOfFile(source, { signal, onBytes });
    await linkShard(source, temporaryPath(join(this.#context.folder, name)));
    await this.#commit({ name, key, bytes, checksum, tensors });
  }

  /** Name, then journal: each on the disk before the next. */
  async #commit(file: ShardFile): Promise<void> {
    const { folder, journal, plan, onFinished } = this.#context;
    const path = join(folder, file.name);
    try {
      await rename(temporaryPath(path), path);
      // Renaming one hard link over another leaves both.
      await rm(temporaryPath(path), { force: true });
      await syncFolder(folder);
    } catch (cause) {
      throw toWriteError(cause, path);
    }
    if (plan.options.layout === 'airllm') await writeFileDurably(`${path}.done`, '');
    await journal.add(file);
    await onFinished(file);
    this.#meter.addFile(file.name);
  }
}

/** `lossless` reads twice what it packs. */
function bytesToRead({ name, tensors, expectedBytes }: PlannedFile, { linkable }: RunState): number {
  if (linkable.has(name)) return expectedBytes;
  return tensors.reduce(
    (sum, { byteLength, format }) => sum + byteLength * (format === 'lossless' ? 2 : 1),
    0,
  );
}
