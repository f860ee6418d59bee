// A memory limit that the kernel enforces, for one child process: a control group of its own, in version 1 or 2 of the
// interface. Page cache that the process fills counts in it, as in a container.

import { existsSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const V1 = {
  root: '/sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  peak: 'memory.max_usage_in_bytes',
};
const V2 = { root: '/sys/fs/cgroup', limit: 'memory.max', peak: 'memory.peak' };

/**
 * Makes a group with a hard limit. Its `procsFile` takes the number of a process; `readPeakBytes` is the most that its
 * processes ever held, by the kernel's count; `remove` needs them to have ended.
 *
 * Throws where control groups cannot be made, which takes root or a delegated group.
 */
export async function createMemoryCgroup(limitBytes) {
  const version = existsSync(V1.root) ? V1 : V2;
  const folder = `${version.root}/airllm-bench-${process.pid}-${(counter += 1)}`;
  try {
    await mkdir(folder);
    await writeFile(`${folder}/${version.limit}`, String(limitBytes));
  } catch (cause) {
    throw new Error(
      `Expected to make a memory control group at ${folder} but got ${cause.code}; a hard limit needs Linux and root`,
      { cause },
    );
  }
  return {
    procsFile: `${folder}/cgroup.procs`,
    readPeakBytes: async () => Number(await readFile(`${folder}/${version.peak}`, 'utf8')),
    remove: () => removeWhenEmpty(folder),
  };
}

let counter = 0;

/** A process leaves its group a moment after its end was reported. */
async function removeWhenEmpty(folder) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rmdir(folder);
    } catch (error) {
      if (error.code !== 'EBUSY' || attempt === 50) throw error;
      await sleep(20);
    }
  }
}
