// A name for a disk that is the same after a restart: what tuning is remembered by.

import { readFile } from 'node:fs/promises';

/** Longer ones come from nothing that is to be trusted. */
const MAX_ID_LENGTH = 300;

/**
 * @param device `dev` of `fs.stat`
 * @returns on Linux what is mounted and the disk's size and serial number, elsewhere the number itself
 */
export async function deviceId(device: bigint): Promise<string> {
  const number = deviceNumber(device);
  const [mounts, size, serial] = await Promise.all([
    readText('/proc/self/mountinfo'),
    readText(`/sys/dev/block/${number}/size`),
    readText(`/sys/dev/block/${number}/serial`),
  ]);
  const source = parseMountSource(mounts, number) ?? `device ${number}`;
  const id = [source, size.trim(), serial.trim()].filter((part) => part !== '').join(' ');
  return id.slice(0, MAX_ID_LENGTH);
}

/** `major:minor` as Linux counts them (glibc's gnu_dev_major and gnu_dev_minor). */
export function deviceNumber(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

/** File system type and what is mounted, of the first mount of a device in the text of `/proc/self/mountinfo`. */
export function parseMountSource(mountInfo: string, number: string): string | undefined {
  for (const line of mountInfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    if (before.split(' ')[2] === number) return after.split(' ').slice(0, 2).join(' ');
  }
  return undefined;
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
