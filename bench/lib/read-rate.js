// Holds what this process reads from a disk to a number of bytes per second. The kernel does it, for direct reads too: a
// control group with a limit on the disk, version 1 (blkio) or 2 (io). Needs Linux and root.

import { mkdir, readFile, realpath, rmdir, stat, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

const V1 = '/sys/fs/cgroup/blkio';
const V2 = '/sys/fs/cgroup';

/**
 * Moves this process, all of its threads, into a group whose reads from the disk that `path` lies on are limited. Resolves
 * to a function that moves it back.
 *
 * @throws Error that says what is missing
 */
export async function holdReadRate(path, bytesPerSecond) {
  const disk = await diskOf(path);
  const isV1 = existsSync(join(V1, 'blkio.throttle.read_bps_device'));
  const parent = isV1 ? V1 : V2;
  const group = join(parent, `airllm-bench-${process.pid}`);
  const before = await currentGroup(parent, isV1);
  if (!isV1) await writeFile(join(V2, 'cgroup.subtree_control'), '+io');
  await mkdir(group);
  try {
    await (isV1
      ? writeFile(join(group, 'blkio.throttle.read_bps_device'), `${disk} ${bytesPerSecond}`)
      : writeFile(join(group, 'io.max'), `${disk} rbps=${bytesPerSecond}`));
    await writeFile(join(group, 'cgroup.procs'), String(process.pid));
  } catch (error) {
    await rmdir(group);
    throw error;
  }
  return async () => {
    await writeFile(join(before, 'cgroup.procs'), String(process.pid));
    await rmdir(group);
  };
}

/** Folder of the group that this process is in now. */
async function currentGroup(parent, isV1) {
  const groups = await readFile('/proc/self/cgroup', 'utf8');
  const line = groups.split('\n').find((entry) => entry.split(':')[1] === (isV1 ? 'blkio' : ''));
  return join(parent, line?.split(':')[2] ?? '/');
}

/** `major:minor` of the whole disk: partitions cannot be limited. */
async function diskOf(path) {
  const { dev } = await stat(path);
  const device = await realpath(`/sys/dev/block/${dev >> 8}:${dev & 255}`);
  const disk = existsSync(join(device, 'partition')) ? dirname(device) : device;
  return (await readFile(join(disk, 'dev'), 'utf8')).trim();
}
