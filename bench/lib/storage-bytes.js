// What a process had read from storage, by the kernel's count: direct reads, page faults and read-ahead alike.

import { readFile } from 'node:fs/promises';

/** Bytes since the process started, all threads together; NaN where the system does not count them. */
export async function readStorageBytes(pid = 'self') {
  const counters = await readFile(`/proc/${pid}/io`, 'utf8').catch(() => '');
  return Number(/^read_bytes: (\d+)$/m.exec(counters)?.[1] ?? NaN);
}
