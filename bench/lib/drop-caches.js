// Empties the page cache, so that no read is served from memory. Only root can, and only on Linux.

import { writeFile } from 'node:fs/promises';
import { progress } from './progress.js';

let told = false;

/** Says once, on stderr, when it cannot. */
export async function dropCaches() {
  try {
    await writeFile('/proc/sys/vm/drop_caches', '1');
  } catch (error) {
    if (!told) progress(`the page cache stays as it is (${error.code}); direct reads do not use it`);
    told = true;
  }
}
