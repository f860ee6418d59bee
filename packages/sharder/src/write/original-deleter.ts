// Decides when an original may go: all of its tensors are in finished shards, and those were read back from the disk and
// have their checksums. Anything that is not so is kept and named, never an error half way.

import { isAbsolute, join } from 'node:path';
import { readHeader, SafetensorsError } from 'safetensors-js';
import { ShardError } from '../errors.js';
import { checksumOfFile } from '../io/file-checksum.js';
import type { ShardFile } from '../manifest.js';
import type { ShardPlan } from '../plan/plan-schema.js';
import { sourceExists } from '../plan/source-files.js';
import { sourceFolderOf, sourcePathOf } from '../plan/source-paths.js';
import { ProgressMeter, type OnShardProgress } from '../progress.js';
import { deleteOriginal, deleteStaleIndex } from './delete-originals.js';

export interface DeleterOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnShardProgress | undefined;
}

export class OriginalDeleter {
  readonly deleted: string[] = [];
  readonly kept: string[] = [];
  readonly #plan: ShardPlan;
  readonly #folder: string;
  readonly #options: DeleterOptions;
  readonly #verified = new Set<string>();
  readonly #done = new Set<number>();

  constructor(plan: ShardPlan, folder: string, options: DeleterOptions) {
    this.#plan = plan;
    this.#folder = folder;
    this.#options = options;
  }

  hasDeleted(source: number): boolean {
    return this.#done.has(source);
  }

  /** Deletes what no unfinished file needs, where that can be told file by file: safetensors files of the folder. */
  async deleteFinished(finished: readonly ShardFile[]): Promise<void> {
    const names = new Set(finished.map(({ name }) => name));
    const needed = new Set(
      this.#plan.files
        .filter(({ name }) => !names.has(name))
        .flatMap(({ tensors }) => tensors.map(({ source }) => source)),
    );
    for (const [index, { path }] of this.#plan.sources.entries()) {
      if (!needed.has(index) && path.endsWith('.safetensors') && !isAbsolute(path))
        await this.#delete(index, finished);
    }
  }

  /** Once all shards are there: what is left, torch files too, and the index that named them. */
  async deleteAll(files: readonly ShardFile[]): Promise<void> {
    for (const index of this.#plan.sources.keys()) await this.#delete(index, files);
    await deleteStaleIndex(sourceFolderOf(this.#folder, this.#plan));
  }

  async #delete(source: number, files: readonly ShardFile[]): Promise<void> {
    const { sources } = this.#plan;
    const sourceFolder = sourceFolderOf(this.#folder, this.#plan);
    if (this.#done.has(source) || !(await sourceExists(sources[source]?.path ?? '', sourceFolder))) return;
    const path = sourcePathOf(this.#folder, this.#plan, source);
    const using = files.filter(({ tensors }) => tensors.some((tensor) => tensor.source === source));
    if (!(await this.#holdsAll(path, source, using))) {
      if (!this.kept.includes(path)) this.kept.push(path);
      return;
    }
    for (const file of using) await this.#verify(file);
    await deleteOriginal(path);
    this.#done.add(source);
    this.deleted.push(path);
  }

  /** Whether every tensor of a safetensors file is in the shards; of torch files the plan has them all. */
  async #holdsAll(path: string, source: number, files: readonly ShardFile[]): Promise<boolean> {
    const held = new Set(
      files.flatMap(({ tensors }) =>
        tensors.filter((tensor) => tensor.source === source).map(({ name }) => name),
      ),
    );
    try {
      const { tensors } = await readHeader(path);
      return [...tensors.keys()].every((name) => held.has(name));
    } catch (error) {
      if (error instanceof SafetensorsError) return held.size > 0;
      throw error;
    }
  }

  async #verify({ name, bytes, checksum }: ShardFile): Promise<void> {
    if (this.#verified.has(name)) return;
    const meter = new ProgressMeter('verify', { files: 1, bytes }, this.#options.onProgress);
    const { signal } = this.#options;
    const found = await checksumOfFile(join(this.#folder, name), {
      signal,
      onBytes: (count) => meter.addBytes(name, count),
    });
    if (found !== checksum) {
      throw new ShardError(
        'CORRUPT_SHARD',
        `${name} in ${this.#folder} does not read back as it was written. The disk may be failing; the originals were kept.`,
        { fields: { files: [name], expected: checksum, found } },
      );
    }
    this.#verified.add(name);
  }
}
