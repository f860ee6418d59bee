// Generates under a budget in a process of its own and prints what the operating system says the process held at its
// peak: { hostBytes, peakBytes, tokens }.
//
//   node lib/generate-under-budget.js FOLDER HOST PROMPT_TOKENS NEW_TOKENS

import { readFile } from 'node:fs/promises';
import { promptIds } from './decode-round.js';
import { openModel } from './open-model.js';

const [folder, host, promptTokens, newTokens] = process.argv.slice(2);
const model = await openModel(folder, host);
const { hostBytes } = model.plan;
const options = { maxNewTokens: Number(newTokens), ignoreEos: true, temperature: 0 };
const { tokenIds } = await model.generate({ inputIds: promptIds(Number(promptTokens)) }, options);
await model[Symbol.asyncDispose]();
console.log(JSON.stringify({ hostBytes, peakBytes: await readPeakBytes(), tokens: tokenIds.length }));

/** Both of the system's counters where there are two: they are updated at different moments. */
async function readPeakBytes() {
  const maxRss = process.resourceUsage().maxRSS * 1024;
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const highWater = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return Math.max(maxRss, Number(highWater ?? 0) * 1024);
}
