// The one way in: a file of torch.save to a table of its tensors.

import { openFile, type ByteSource } from './file-source.js';
import { readLegacyFormat } from './legacy-format.js';
import { TorchPickleError } from './torch-pickle-error.js';
import type { TorchTensor } from './torch-tensor.js';
import { readZipFormat } from './zip-format.js';

export interface TorchFile {
  /** `zip` since torch 1.6. */
  readonly format: 'zip' | 'legacy';
  readonly tensors: ReadonlyMap<string, TorchTensor>;
}

const ZIP_SIGNATURE = [0x50, 0x4b];

/**
 * Reads which tensors a `.bin`, `.pt` or `.pth` file holds and where. Only the pickle and the directory are read, both
 * under named limits; nothing in the file is executed.
 *
 * @example
 * const { tensors } = await readTorchFile('pytorch_model.bin');
 * for (const { name, dtype, shape, byteOffset } of tensors.values()) console.log(name, dtype, shape, byteOffset);
 *
 * @throws TorchPickleError, its message with the path in front.
 */
export async function readTorchFile(path: string): Promise<TorchFile> {
  const file = await openFile(path);
  try {
    if (await isZip(file)) return { format: 'zip', tensors: await readZipFormat(file) };
    return { format: 'legacy', tensors: await readLegacyFormat(file) };
  } catch (error) {
    if (!(error instanceof TorchPickleError) || error.code === 'READ_FAILED') throw error;
    const { code, message, fields, cause } = error;
    throw new TorchPickleError(code, `${path}: ${message}`, { fields: { ...fields, path }, cause });
  } finally {
    await file.close();
  }
}

async function isZip(source: ByteSource): Promise<boolean> {
  const start = await source.read(0, Math.min(ZIP_SIGNATURE.length, source.size));
  return ZIP_SIGNATURE.every((byte, i) => start[i] === byte);
}
