// The entries of a zip archive as byte ranges, zip64 included, through yauzl. Only entries stored as they are have
// a range to give; torch.save writes no others.

import type { Buffer } from 'node:buffer';
import { fromRandomAccessReaderPromise, RandomAccessReader, type Entry, type ZipFile } from 'yauzl';
import type { ByteSource } from './file-source.js';
import { exceeds, quote, reasonOf, TorchPickleError } from './torch-pickle-error.js';

/** One storage each: more tensors than any published file has. */
export const MAX_ENTRIES = 2 ** 18;
/** torch writes the name of the file, then `/data/` and a number. */
export const MAX_ENTRY_NAME_CHARS = 512;

export interface ByteRange {
  readonly byteOffset: number;
  readonly byteLength: number;
}

export class ZipEntries {
  private constructor(
    private readonly zip: ZipFile,
    private readonly size: number,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {}

  /** Reads the central directory. @throws TorchPickleError `INVALID_ARCHIVE`, `LIMIT_EXCEEDED`. */
  static async read(source: ByteSource): Promise<ZipEntries> {
    return guarded(async () => {
      const options = { autoClose: false, strictFileNames: true };
      const zip = await fromRandomAccessReaderPromise(new SourceReader(source), source.size, options);
      const entries = new Map<string, Entry>();
      for await (const entry of zip.eachEntry()) {
        const { fileName } = entry;
        if (fileName.length > MAX_ENTRY_NAME_CHARS) {
          exceeds('MAX_ENTRY_NAME_CHARS', MAX_ENTRY_NAME_CHARS, 'characters in the name of an entry');
        }
        if (entries.size === MAX_ENTRIES) exceeds('MAX_ENTRIES', MAX_ENTRIES, 'entries in an archive');
        if (entries.has(fileName)) {
          throw new TorchPickleError(
            'INVALID_ARCHIVE',
            `Expected one entry named ${quote(fileName)} but found two.`,
            {
              fields: { entry: fileName },
            },
          );
        }
        entries.set(fileName, entry);
      }
      return new ZipEntries(zip, source.size, entries);
    });
  }

  names(): Iterable<string> {
    return this.entries.keys();
  }

  /**
   * Where the data of an entry lies; undefined when there is no entry of this name.
   *
   * @throws TorchPickleError `UNSUPPORTED` when it is compressed or encrypted, `INVALID_ARCHIVE`.
   */
  async locate(name: string): Promise<ByteRange | undefined> {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    if (entry.compressionMethod !== 0 || entry.isEncrypted()) {
      throw new TorchPickleError(
        'UNSUPPORTED',
        `Expected entry ${quote(name)} to be stored as it is but it is compressed or encrypted. torch.save does neither.`,
        { fields: { entry: name } },
      );
    }
    return guarded(async () => {
      const { fileDataStart } = await this.zip.readLocalFileHeaderPromise(entry, { minimal: true });
      // yauzl has compared the end with the size of the file; this holds if it ever stops to.
      if (!(fileDataStart + entry.compressedSize <= this.size)) {
        throw new TorchPickleError('INVALID_ARCHIVE', `Expected entry ${quote(name)} inside the file.`, {
          fields: { entry: name },
        });
      }
      return { byteOffset: fileDataStart, byteLength: entry.compressedSize };
    });
  }
}

/** Checks every read, since the archive may claim any offset and yauzl passes it on; fs.read would throw on some. */
class SourceReader extends RandomAccessReader {
  constructor(private readonly source: ByteSource) {
    super();
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    if (!(position >= 0 && position <= this.source.size - length)) {
      return callback(new Error('it points outside the file.'));
    }
    this.source.read(position, length).then(
      (bytes) => {
        buffer.set(bytes, offset);
        callback(null, length);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error(reasonOf(error))),
    );
  }
}

async function guarded<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof TorchPickleError) throw cause;
    throw new TorchPickleError(
      'INVALID_ARCHIVE',
      `Expected a complete zip archive: ${reasonOf(cause).replace(/[.]?$/, '.')} Fetch the file again.`,
      { cause },
    );
  }
}
