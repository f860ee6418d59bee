// Metadata and tensor table of one file, parsed by @huggingface/gguf. The parser's own bounds allow far more than a
// header needs and it keeps the last of two equal keys, so what it may read is bounded before and what it gives is
// checked after.

import { gguf } from '@huggingface/gguf';
import { GgufError, shown } from './gguf-error.js';
import { openHeaderFile, type HeaderFile } from './header-file.js';
import { MAX_DIMENSIONS, MAX_METADATA_KEYS, MAX_TENSORS } from './limits.js';
import { Metadata } from './metadata.js';
import { readTokenTexts, TOKENS_KEY } from './read-token-texts.js';

/** One row of the tensor table, as written: dimensions innermost first. */
export interface TensorEntry {
  readonly name: string;
  readonly dimensions: readonly bigint[];
  /** Id of a GGML type. */
  readonly type: number;
  /** From the start of the data section. */
  readonly offset: bigint;
}

export interface GgufHeader {
  readonly path: string;
  readonly fileBytes: number;
  readonly metadata: Metadata;
  readonly tensors: readonly TensorEntry[];
  /** Where the table ends; tensor data starts at the next aligned offset. */
  readonly tableEnd: number;
}

/** What a key–value pair and a table row take at least: lengths, type, value; lengths, dimension, type, offset. */
const MIN_PAIR_BYTES = 8 + 4 + 1;
const MIN_ENTRY_BYTES = 8 + 4 + 4 + 8;
/** The parser adds these to the pairs of the file. */
const PARSER_KEYS = ['version', 'tensor_count', 'kv_count'];

/**
 * @param path absolute
 * @throws GgufError `FILE_NOT_FOUND`, `READ_FAILED`, `NOT_GGUF`, `UNSUPPORTED_VERSION`, `INVALID_HEADER`
 */
export async function readHeader(path: string, signal?: AbortSignal): Promise<GgufHeader> {
  const file = await openHeaderFile(path, signal);
  try {
    const counts = checkStart(await file.read(0, 24), file);
    return await parse(file, counts);
  } finally {
    await file.close();
  }
}

interface Counts {
  readonly tensors: number;
  readonly pairs: number;
}

/** Magic, version and counts: the first 24 bytes. */
function checkStart(bytes: Uint8Array<ArrayBuffer>, { path, fileBytes }: HeaderFile): Counts {
  if (bytes.length < 24 || new TextDecoder('latin1').decode(bytes.subarray(0, 4)) !== 'GGUF') {
    throw new GgufError('NOT_GGUF', `Expected ${path} to start with "GGUF" but it does not.`, {
      fields: { path },
    });
  }
  const view = new DataView(bytes.buffer);
  const version = view.getUint32(4, true);
  if (version !== 2 && version !== 3) {
    const found = version % 65_536 === 0 ? 'big-endian numbers' : `version ${version}`;
    throw new GgufError(
      'UNSUPPORTED_VERSION',
      `Expected GGUF version 2 or 3 in little-endian order but ${path} has ${found}. Convert the model again.`,
      { fields: { path, version } },
    );
  }
  const count = (
    byteOffset: number,
    what: string,
    { max, least }: { max: number; least: number },
  ): number => {
    const value = view.getBigUint64(byteOffset, true);
    const most = Math.min(max, Math.floor(fileBytes / least));
    if (value > BigInt(most)) throw invalidHeader(path, `at most ${most} ${what} but it announces ${value}`);
    return Number(value);
  };
  return {
    tensors: count(8, 'tensors', { max: MAX_TENSORS, least: MIN_ENTRY_BYTES }),
    pairs: count(16, 'metadata keys', { max: MAX_METADATA_KEYS, least: MIN_PAIR_BYTES }),
  };
}

async function parse(file: HeaderFile, counts: Counts): Promise<GgufHeader> {
  const { path, fileBytes } = file;
  const parsed = await gguf('https://local.invalid/', { fetch: (url, init) => file.fetch(url, init) }).catch(
    (cause: unknown) => {
      if (cause instanceof GgufError || (cause as { name?: unknown } | null)?.name === 'AbortError')
        throw cause;
      const reason = (cause as { message?: unknown } | null)?.message ?? cause;
      throw new GgufError(
        'INVALID_HEADER',
        `Could not parse the header of ${path}: ${shown(String(reason))}.`,
        {
          fields: { path },
          cause,
        },
      );
    },
  );
  const [, tableEnd] = parsed.tensorInfoByteRange;
  if (tableEnd > fileBytes) throw invalidHeader(path, 'its tensor table to end within it');
  const values = new Map(Object.entries(parsed.metadata as Record<string, unknown>));
  if (values.size !== counts.pairs + PARSER_KEYS.length) {
    throw invalidHeader(path, 'every metadata key once, none of them named as a field of the header');
  }
  for (const key of PARSER_KEYS) values.delete(key);
  const tokens = values.get(TOKENS_KEY);
  if (Array.isArray(tokens)) {
    values.set(TOKENS_KEY, readTokenTexts(await file.read(0, tableEnd), { count: tokens.length, path }));
  }
  return {
    path,
    fileBytes,
    metadata: new Metadata(values),
    tensors: parsed.tensorInfos.map((info) => {
      if (info.shape.length === 0 || info.shape.length > MAX_DIMENSIONS) {
        throw invalidHeader(path, `1 to ${MAX_DIMENSIONS} dimensions for ${shown(info.name)}`);
      }
      return { name: info.name, dimensions: info.shape, type: info.dtype, offset: info.offset };
    }),
    tableEnd,
  };
}

function invalidHeader(path: string, expected: string): GgufError {
  return new GgufError('INVALID_HEADER', `Expected ${expected} in ${path}. Download the file again.`, {
    fields: { path },
  });
}
