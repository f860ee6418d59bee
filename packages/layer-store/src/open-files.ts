// The files that are open for reading: by name, each opened once, and what they were when they were opened.

import { openFile, type ReadableFile } from '@airllm/direct-io';
import type { FileIdentities } from './file-identities.js';
import { OpenOnce } from './open-once.js';

/** A file and the disk it lies on. */
export interface FileOnDevice {
  readonly file: ReadableFile;
  readonly device: bigint;
}

/** Files opened one way: past the page cache where that can be, or through it. */
export class OpenFiles {
  readonly #files = new OpenOnce<string, FileOnDevice>({
    open: (path) => this.#open(path),
    close: ({ file }) => file.handle.close(),
  });
  #bufferedReason: string | undefined;

  constructor(
    private readonly direct: boolean,
    private readonly identities: FileIdentities,
  ) {}

  /** Why some of them were opened through the page cache although they should not have been. */
  get bufferedReason(): string | undefined {
    return this.#bufferedReason;
  }

  /** An open that failed is tried again next time. */
  get(path: string): Promise<FileOnDevice> {
    return this.#files.get(path);
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  async #open(path: string): Promise<FileOnDevice> {
    const { file, bufferedReason } = await openFile(path, { direct: this.direct });
    try {
      const { dev } = await this.identities.note(path, file.handle);
      this.#bufferedReason ??= bufferedReason;
      return { file, device: dev };
    } catch (error) {
      await file.handle.close();
      throw error;
    }
  }
}
