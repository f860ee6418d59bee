// Ratio and speeds of the zstd command line's own in-memory benchmark (`zstd -b`), one thread.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** { encodedBytes, decodeBytesPerSecond } of `bytes` at `level`; undefined without the tool. */
export function zstdBenchmark(bytes, level) {
  const folder = mkdtempSync(join(tmpdir(), 'airllm-zstd-'));
  try {
    const file = join(folder, 'plane');
    writeFileSync(file, bytes);
    const { status, stdout, stderr } = spawnSync('zstd', [`-b${level}`, '-i1', file], { encoding: 'utf8' });
    if (status !== 0) return undefined;
    // The last progress line: `3#plane : 1000 -> 250 (x4.000), 100.0 MB/s, 500.0 MB/s`
    const found = [
      ...`${stdout}${stderr}`.matchAll(/-> *(\d+) \(.*?\), *[\d.]+ MB\/s,? *([\d.]+) *MB\/s/g),
    ].at(-1);
    if (found === undefined) throw new Error(`Expected a figure from zstd but it printed ${stdout}${stderr}`);
    return { encodedBytes: Number(found[1]), decodeBytesPerSecond: Number(found[2]) * 1e6 };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
