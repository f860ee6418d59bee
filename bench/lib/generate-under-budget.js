// Generates under a budget in a process of its own and prints what the operating system says the process held at its
// peak: { hostBytes, peakBytes, tokens }.
//
//   node lib/generate-under-budget.js FOLDER HOST PROMPT_TOKENS NEW_TOKENS

import { promptIds } from './decode-round.js';
import { openModel } from './open-model.js';
import { readPeakBytes } from './peak-bytes.js';

const [folder, host, promptTokens, newTokens] = process.argv.slice(2);
const model = await openModel(folder, host);
const { hostBytes } = model.plan;
const options = { maxNewTokens: Number(newTokens), ignoreEos: true, temperature: 0 };
const { tokenIds } = await model.generate({ inputIds: promptIds(Number(promptTokens)) }, options);
await model[Symbol.asyncDispose]();
console.log(JSON.stringify({ hostBytes, peakBytes: await readPeakBytes(), tokens: tokenIds.length }));
