// What this process held at its peak.

import { readFile } from 'node:fs/promises';

/** Both of the system's counters where there are two: they are updated at different moments. */
export async function readPeakBytes() {
  const maxRss = process.resourceUsage().maxRSS * 1024;
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const highWater = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return Math.max(maxRss, Number(highWater ?? 0) * 1024);
}
