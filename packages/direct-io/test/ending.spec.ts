import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openReadQueue, tryLoadBinding } from '../src/open-read-queue.js';
import type { NativeMethod } from '../src/read-queue.js';

const program = fileURLToPath(new URL('./ending.js', import.meta.url));
const methods = (['io_uring', 'threads'] as const).filter(isThere);

function isThere(method: NativeMethod): boolean {
  if (typeof tryLoadBinding() === 'string') return false;
  try {
    void openReadQueue({ method }).queue[Symbol.asyncDispose]();
    return true;
  } catch {
    return false;
  }
}

describe('with reads in flight', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'airllm-ending-'));
    writeFileSync(join(folder, 'file'), new Uint8Array(8 * 2 ** 20));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  if (methods.length === 0) {
    console.warn('skipped: the native reader is not built');
    it.skip('native reader absent', () => undefined);
    return;
  }

  it.each(methods.flatMap((method) => [['exit', method] as const, ['worker', method] as const]))(
    'an environment ends in good order: %s, %s',
    (how, method) => {
      const { status, signal, stderr } = spawnSync(
        process.execPath,
        [program, how, method, join(folder, 'file')],
        { encoding: 'utf8' },
      );
      expect({ status, signal, stderr }).toMatchObject({ status: 0, signal: null });
    },
  );
});
