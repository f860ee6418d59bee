// A file that is read or written past the page cache where the platform and the file system allow it, and through it
// where they do not. Offsets, lengths and buffers given to it are whole pages; only the end of a file is not.

import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { systemCode } from '../errors.js';
import { PAGE_BYTES } from './aligned-pool.js';

/** Absent on macOS and Windows. */
const O_DIRECT: number | undefined = constants.O_DIRECT;

export class DirectFile {
  readonly path: string;
  readonly #flags: number;
  #handle: FileHandle;
  #isDirect: boolean;
  #reopening: Promise<void> | undefined;

  private constructor(path: string, flags: number, opened: { handle: FileHandle; isDirect: boolean }) {
    this.path = path;
    this.#flags = flags;
    this.#handle = opened.handle;
    this.#isDirect = opened.isDirect;
  }

  static async openToRead(path: string): Promise<DirectFile> {
    return new DirectFile(path, constants.O_RDONLY, await openAny(path, constants.O_RDONLY));
  }

  /** Creates the file, or empties the one of this name. */
  static async create(path: string): Promise<DirectFile> {
    const flags = constants.O_WRONLY | constants.O_CREAT;
    return new DirectFile(path, flags, await openAny(path, flags | constants.O_TRUNC));
  }

  /** Reads from a page boundary until `buffer` is full or the file ends; returns the bytes that arrived. */
  async read(buffer: Uint8Array, offset: number): Promise<number> {
    let done = 0;
    while (done < buffer.length) {
      const { bytesRead } = await this.#retrying((handle) =>
        handle.read(buffer, done, buffer.length - done, offset + done),
      );
      done += bytesRead;
      // Direct reads end inside a page only where the file does.
      if (bytesRead === 0 || (this.#isDirect && done % PAGE_BYTES !== 0)) break;
    }
    return done;
  }

  async write(buffer: Uint8Array, offset: number): Promise<void> {
    let done = 0;
    while (done < buffer.length) {
      const { bytesWritten } = await this.#retrying((handle) =>
        handle.write(buffer, done, buffer.length - done, offset + done),
      );
      done += bytesWritten;
    }
  }

  /** Cuts the file to its true length and waits until it is on the disk. */
  async finish(bytes: number): Promise<void> {
    await this.#handle.truncate(bytes);
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#reopening;
    await this.#handle.close();
  }

  /** Some file systems take the flag and then refuse the operation: those are opened again without it. */
  async #retrying<T>(action: (handle: FileHandle) => Promise<T>): Promise<T> {
    const wasDirect = this.#isDirect;
    try {
      return await action(this.#handle);
    } catch (error) {
      if (!wasDirect || systemCode(error) !== 'EINVAL') throw error;
      this.#reopening ??= this.#reopenBuffered();
      await this.#reopening;
      return action(this.#handle);
    }
  }

  async #reopenBuffered(): Promise<void> {
    const buffered = await open(this.path, this.#flags);
    const direct = this.#handle;
    this.#handle = buffered;
    this.#isDirect = false;
    await direct.close();
  }
}

async function openAny(path: string, flags: number): Promise<{ handle: FileHandle; isDirect: boolean }> {
  if (O_DIRECT !== undefined) {
    try {
      return { handle: await open(path, flags | O_DIRECT), isDirect: true };
    } catch (error) {
      if (systemCode(error) !== 'EINVAL') throw error;
    }
  }
  return { handle: await open(path, flags), isDirect: false };
}
