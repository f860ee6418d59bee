// The bytes that the parser sees: a bounded window on the start of one file, in the form of a `fetch` that its
// HTTP reader calls. Its own reader of local files goes on with zeros behind the end of a file.

import { open, stat, type FileHandle } from 'node:fs/promises';
import { GgufError } from './gguf-error.js';
import { MAX_HEADER_BYTES } from './limits.js';

export interface HeaderFile {
  readonly path: string;
  readonly fileBytes: number;
  /** Bytes [start, end) as far as the file goes. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Answers range requests with the bytes of the file. */
  fetch(url: unknown, init?: { headers?: unknown }): Promise<Response>;
  close(): Promise<void>;
}

/** @throws GgufError `FILE_NOT_FOUND`, `READ_FAILED` */
export async function openHeaderFile(path: string, signal?: AbortSignal): Promise<HeaderFile> {
  const handle = await openRegularFile(path);
  const { size: fileBytes } = await handle.stat();
  let servedPastEnd = false;

  const read = async (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> => {
    signal?.throwIfAborted();
    const bytes = new Uint8Array(Math.max(0, Math.min(end, fileBytes) - start));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
      if (bytesRead === 0) throw readFailed(path, new Error('the file became shorter'));
      filled += bytesRead;
    }
    return bytes;
  };

  return {
    path,
    fileBytes,
    read,
    async fetch(_url, init) {
      const [start, last] = parseRange(init?.headers);
      if (last >= MAX_HEADER_BYTES) {
        throw new GgufError(
          'INVALID_HEADER',
          `Expected at most ${MAX_HEADER_BYTES} bytes of metadata and tensor table in ${path} but they go on.`,
          { fields: { path } },
        );
      }
      // The parser asks ahead, so one request may lie behind the end of a sound file.
      if (start >= fileBytes && servedPastEnd) {
        throw new GgufError(
          'INVALID_HEADER',
          `Expected ${path} to hold what it announces but it ends before.`,
          {
            fields: { path, fileBytes },
          },
        );
      }
      servedPastEnd = start >= fileBytes;
      return new Response(await read(start, last + 1));
    },
    close: () => handle.close(),
  };
}

/** Looks first: opening a named pipe would wait for its other end. */
async function openRegularFile(path: string): Promise<FileHandle> {
  try {
    if ((await stat(path)).isFile()) return await open(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw readFailed(path, cause);
  }
  throw new GgufError('FILE_NOT_FOUND', `Expected a GGUF file at ${path} but there is none.`, {
    fields: { path },
  });
}

function parseRange(headers: unknown): [start: number, last: number] {
  const range = (headers as Record<string, string> | undefined)?.['Range'] ?? '';
  const [, start, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  if (start === undefined || last === undefined)
    throw new RangeError(`Expected a byte range but found ${range}`);
  return [Number(start), Number(last)];
}

function readFailed(path: string, cause: unknown): GgufError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GgufError('READ_FAILED', `Could not read ${path}: ${reason}.`, { fields: { path }, cause });
}
