#!/usr/bin/env node
// The command line of writeGguf: the same weights for engines that read GGUF.

import { parseArgs } from 'node:util';
import { writeGguf } from './index.js';

const USAGE = `Writes the weights of a bf16 Llama or Mixtral checkpoint as one GGUF file.

  node tooling/synthetic-checkpoint/gguf.js --from DIR --out FILE [--type bf16|q8_0]`;

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    out: { type: 'string' },
    type: { type: 'string', default: 'bf16' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || values.from === undefined || values.out === undefined) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
const { tensors, bytes } = await writeGguf(values.from, values.out, { type: values.type });
console.log(`${values.out}: ${tensors} tensors, ${Math.round(bytes / 1e6)} MB`);
