// Runs every benchmark, each in a process of its own, and prints one table.

import { fileURLToPath } from 'node:url';
import { describeMachine } from './lib/program.js';
import { progress } from './lib/progress.js';
import { runNode } from './lib/run-node.js';
import { formatTable, keepsPromises } from './lib/table.js';

const PROGRAMS = [
  'resident-decode',
  'prefill',
  'packed-gemv',
  'budget-rss',
  'event-loop',
  'streaming',
  'quantizer-encode',
];

const machine = describeMachine();
const rows = [];
let failed = false;
for (const name of PROGRAMS) {
  progress(name);
  try {
    const { result } = await runNode([fileURLToPath(new URL(`./${name}.js`, import.meta.url)), '--json']);
    rows.push(...result);
  } catch (error) {
    failed = true;
    progress(`${name}: ${error.message}`);
  }
}
console.log(`${machine}\n\n${formatTable(rows)}`);
process.exitCode = failed || !keepsPromises(rows) ? 1 : 0;
