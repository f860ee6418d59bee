// Says whether anything changed since a step last succeeded, without starting a tool: a hash over file contents (few,
// small files) or over path, size and modification time (whole trees), kept in a stamp file.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Hash over the contents of `files` (a missing one counts as such) and the strings in `extra`. */
export function hashContents(files, extra = []) {
  const hash = createHash('sha256').update(JSON.stringify(extra));
  for (const file of files) {
    hash.update(`\0${file}\0`).update(existsSync(file) ? readFileSync(file) : 'missing');
  }
  return hash.digest('hex');
}

/** Hash over path, size and mtime of every file under `folders` for which `keep(path)` holds, and over `extra`. */
export function hashTree(folders, { keep, extra = [] }) {
  const hash = createHash('sha256').update(JSON.stringify(extra));
  for (const folder of folders) addFolder(hash, folder, keep);
  return hash.digest('hex');
}

function addFolder(hash, folder, keep) {
  if (!existsSync(folder)) return;
  const entries = readdirSync(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (!keep(path)) continue;
    if (entry.isDirectory()) {
      addFolder(hash, path, keep);
    } else if (entry.isFile()) {
      const { size, mtimeMs } = statSync(path);
      hash.update(`\0${path}\0${size}\0${mtimeMs}`);
    }
  }
}

/** True when `stampFile` holds `fingerprint`. */
export function isStamped(stampFile, fingerprint) {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === fingerprint;
}

/** Records that the step with this fingerprint has succeeded. */
export function writeStamp(stampFile, fingerprint) {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, fingerprint);
}
