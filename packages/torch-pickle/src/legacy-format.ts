// What torch.save wrote before 1.6, and writes still when asked to: five pickles one after the other (a magic number,
// a protocol version, the machine, the object, the keys of its storages), then each storage as an element count of
// 8 bytes and its elements. Where the pickles end is known only once they are read.

import { collectTensors } from './collect-tensors.js';
import type { ByteSource } from './file-source.js';
import { MAX_PICKLE_BYTES } from './limits.js';
import { locateTensors } from './locate-tensors.js';
import { PickleCursor } from './pickle-cursor.js';
import { PickleDict, PickleList, type PickleValue } from './pickle-value.js';
import { runPickle } from './run-pickle.js';
import { StorageTable } from './storage-table.js';
import { exceeds, quote, TorchPickleError } from './torch-pickle-error.js';
import type { TorchTensor } from './torch-tensor.js';

/** torch/serialization.py, MAGIC_NUMBER and PROTOCOL_VERSION. */
const MAGIC_NUMBER = 0x1950a86a20f9469cfc6cn;
const PROTOCOL_VERSION = 1001;

const FIRST_WINDOW_BYTES = 64 * 2 ** 10;
const COUNT_BYTES = 8;

/** @throws TorchPickleError */
export async function readLegacyFormat(source: ByteSource): Promise<ReadonlyMap<string, TorchTensor>> {
  const { root, keys, storages, end } = await readPickles(source);
  const offsets = await locateStorages(source, { keys, storages, position: end });
  return locateTensors(collectTensors(root), ({ key }) => {
    const offset = offsets.get(key);
    if (offset !== undefined) return Promise.resolve(offset);
    throw new TorchPickleError(
      'INVALID_STORAGE',
      `Expected storage ${quote(key)} in the file but it is not there.`,
      {
        fields: { key },
      },
    );
  });
}

interface LegacyPickles {
  readonly root: PickleValue;
  readonly keys: readonly PickleValue[];
  readonly storages: StorageTable;
  /** Where the storages begin. */
  readonly end: number;
}

/** Reads a window, twice as large each time until the pickles end inside it. */
async function readPickles(source: ByteSource): Promise<LegacyPickles> {
  for (let windowBytes = FIRST_WINDOW_BYTES; ; windowBytes *= 2) {
    const window = await source.read(0, Math.min(windowBytes, source.size));
    try {
      return parsePickles(window);
    } catch (error) {
      const cut = error instanceof TorchPickleError && error.code === 'TRUNCATED';
      if (!cut || windowBytes >= source.size) throw error;
      if (windowBytes >= MAX_PICKLE_BYTES) exceeds('MAX_PICKLE_BYTES', MAX_PICKLE_BYTES, 'bytes of pickle');
    }
  }
}

function parsePickles(window: Uint8Array): LegacyPickles {
  const cursor = new PickleCursor(window);
  const storages = new StorageTable();
  checkMagic(cursor);
  if (runPickle(cursor, storages) !== PROTOCOL_VERSION) {
    throw new TorchPickleError(
      'UNSUPPORTED',
      `Expected version ${PROTOCOL_VERSION} of torch's legacy format.`,
    );
  }
  const machine = runPickle(cursor, storages);
  if (!(machine instanceof PickleDict) || machine.entries.get('little_endian') !== true) {
    throw new TorchPickleError('UNSUPPORTED', 'Expected data of a little-endian machine.');
  }
  const root = runPickle(cursor, storages);
  const keys = runPickle(cursor, new StorageTable());
  if (!(keys instanceof PickleList)) {
    throw new TorchPickleError('INVALID_PICKLE', 'Expected the keys of the storages to be a list.');
  }
  return { root, keys: keys.items, storages, end: cursor.position };
}

function checkMagic(cursor: PickleCursor): void {
  let cause: unknown;
  try {
    if (runPickle(cursor, new StorageTable()) === MAGIC_NUMBER) return;
  } catch (error) {
    // What the file wanted to call, and that it may only be cut, is worth more than that it is no torch file.
    if (error instanceof TorchPickleError && ['REFUSED_GLOBAL', 'TRUNCATED'].includes(error.code))
      throw error;
    cause = error;
  }
  throw new TorchPickleError(
    'NOT_A_TORCH_FILE',
    'Expected a file of torch.save (a zip archive, or its legacy format) but it begins otherwise.',
    { cause },
  );
}

interface StorageSection {
  readonly keys: readonly PickleValue[];
  readonly storages: StorageTable;
  readonly position: number;
}

async function locateStorages(
  source: ByteSource,
  section: StorageSection,
): Promise<ReadonlyMap<string, number>> {
  const { keys, storages } = section;
  const offsets = new Map<string, number>();
  let { position } = section;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined || offsets.has(storage.key)) {
      throw new TorchPickleError(
        'INVALID_STORAGE',
        'Expected each storage once, each one that a tensor refers to.',
        {
          fields: { key },
        },
      );
    }
    const start = position + COUNT_BYTES;
    const end = start + storage.byteLength;
    if (!(end <= source.size) || (await readCount(source, position)) !== storage.elements) {
      throw new TorchPickleError(
        'INVALID_STORAGE',
        `Expected storage ${quote(storage.key)} of ${storage.elements} elements at byte ${position} of the file's ${source.size}. Fetch it again.`,
        { fields: { key: storage.key, position, elements: storage.elements, fileSize: source.size } },
      );
    }
    offsets.set(storage.key, start);
    position = end;
  }
  return offsets;
}

async function readCount(source: ByteSource, position: number): Promise<number> {
  return new PickleCursor(await source.read(position, COUNT_BYTES)).u64();
}
