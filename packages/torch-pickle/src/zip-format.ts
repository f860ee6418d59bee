// What torch.save writes since 1.6: a zip archive with one pickle, `<name>/data.pkl`, and every storage as an entry
// of its own, `<name>/data/<key>`, stored uncompressed.

import { collectTensors } from './collect-tensors.js';
import type { ByteSource } from './file-source.js';
import { MAX_PICKLE_BYTES } from './limits.js';
import { PickleCursor } from './pickle-cursor.js';
import { runPickle } from './run-pickle.js';
import { StorageTable } from './storage-table.js';
import { exceeds, quote, TorchPickleError } from './torch-pickle-error.js';
import { locateTensors, type LocateStorage } from './locate-tensors.js';
import type { TorchTensor } from './torch-tensor.js';
import { ZipEntries } from './zip-entries.js';

const PICKLE = /^([^/]+)\/data\.pkl$/;
const MAX_BYTE_ORDER_BYTES = 16;

/** @throws TorchPickleError */
export async function readZipFormat(source: ByteSource): Promise<ReadonlyMap<string, TorchTensor>> {
  const entries = await ZipEntries.read(source);
  const prefix = archiveName(entries);
  await checkByteOrder(source, entries, prefix);

  const storages = new StorageTable();
  const cursor = new PickleCursor(await readEntry(source, entries, `${prefix}/data.pkl`));
  const tensors = collectTensors(runPickle(cursor, storages));

  const locate: LocateStorage = async ({ key, byteLength }) => {
    const range = await entries.locate(`${prefix}/data/${key}`);
    if (range?.byteLength === byteLength) return range.byteOffset;
    throw new TorchPickleError(
      'INVALID_STORAGE',
      `Expected storage ${quote(key)} to have ${byteLength} bytes but found ${range?.byteLength ?? 'none of this name'}.`,
      { fields: { key, byteLength, found: range?.byteLength } },
    );
  };
  return locateTensors(tensors, locate);
}

function archiveName(entries: ZipEntries): string {
  const names = [...entries.names()];
  const [name, ...more] = names.flatMap((entry) => PICKLE.exec(entry)?.[1] ?? []);
  if (name !== undefined && more.length === 0) return name;
  throw new TorchPickleError(
    'NOT_A_TORCH_FILE',
    `Expected an archive of torch.save, with one data.pkl, but found ${name === undefined ? 'none' : 'several'} ` +
      `(its first entry is ${quote(names[0] ?? '')}).`,
  );
}

/** Files of torch before 2.1 do not say and are little-endian. */
async function checkByteOrder(source: ByteSource, entries: ZipEntries, prefix: string): Promise<void> {
  const range = await entries.locate(`${prefix}/byteorder`);
  if (range === undefined) return;
  const bytes = await source.read(range.byteOffset, Math.min(range.byteLength, MAX_BYTE_ORDER_BYTES));
  const order = new TextDecoder().decode(bytes);
  if (order !== 'little') {
    throw new TorchPickleError('UNSUPPORTED', `Expected little-endian data but found ${quote(order)}.`, {
      fields: { byteOrder: order },
    });
  }
}

async function readEntry(source: ByteSource, entries: ZipEntries, name: string): Promise<Uint8Array> {
  const range = await entries.locate(name);
  if (range === undefined) throw new TorchPickleError('INVALID_ARCHIVE', `Expected an entry ${quote(name)}.`);
  if (range.byteLength > MAX_PICKLE_BYTES) exceeds('MAX_PICKLE_BYTES', MAX_PICKLE_BYTES, 'bytes of pickle');
  return source.read(range.byteOffset, range.byteLength);
}
