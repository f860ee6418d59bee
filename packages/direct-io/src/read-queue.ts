// The contract of everything that reads: given an open file, bytes into memory, asynchronously.

import type { FileHandle } from 'node:fs/promises';

/** A file that is open for reading. */
export interface ReadableFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Opened past the page cache: offsets, lengths and memory are then multiples of {@link DIRECT_ALIGNMENT}. */
  readonly direct: boolean;
}

/** What direct reads need of offsets, lengths and memory addresses; true for every common disk. */
export const DIRECT_ALIGNMENT = 4096;

export interface ReadRequest {
  readonly file: ReadableFile;
  readonly memory: Uint8Array;
  readonly bufferOffset: number;
  readonly byteLength: number;
  readonly fileOffset: number;
  /** Nothing was written to the memory yet, so that its pages are still to be committed. Default false. */
  readonly fresh?: boolean;
  /** Gives up what was not asked of the disk yet. */
  readonly signal?: AbortSignal;
}

/** Reads of one device. */
export interface ReadQueue extends AsyncDisposable {
  readonly method: ReadMethod;
  /**
   * Resolves to the bytes that arrived: fewer than asked for where the file ends. Settles only when nothing is written to the
   * memory any more.
   *
   * @throws DirectIoError `READ_FAILED` naming file and offset, `READ_CANCELLED`, `READER_CLOSED`, `INVALID_READ`
   */
  read(request: ReadRequest): Promise<number>;
  /** Cancels what waits and waits for the reads in flight. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** `threads` are the queue's own. */
export type NativeMethod = 'io_uring' | 'threads';

/** `node`: through node:fs, whose threads everything in the process shares. */
export type ReadMethod = NativeMethod | 'node';
