// The read-ahead of the disk below a file: memory-mapped engines depend on it, so it is the same for all and reported.

import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';

/** Sets it, and resolves to a function that puts the old value back. Throws where the system does not let it. */
export async function fixReadAhead(path, kilobytes) {
  const file = await settingOf(path);
  const before = (await readFile(file, 'utf8')).trim();
  await writeFile(file, String(kilobytes));
  return () => writeFile(file, before);
}

async function settingOf(path) {
  const { dev } = await stat(path);
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  const device = `/sys/dev/block/${major}:${minor}`;
  const file = [`${device}/queue/read_ahead_kb`, `${device}/../queue/read_ahead_kb`].find(existsSync);
  if (!file) throw new Error(`Expected the read-ahead of the disk below ${path} at ${device} but found none`);
  return file;
}
