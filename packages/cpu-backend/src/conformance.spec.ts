// Every instruction set of this machine passes the suite that compares each op with the float64 reference.

import type { Backend } from '@airllm/backend';
import { assertConforms, conformanceCases } from '@airllm/backend/conformance';
import type { InstructionSet } from './binding.js';
import { createCpuBackend } from './index.js';

const SETS: Exclude<InstructionSet, 'auto'>[] = ['scalar', 'avx2', 'avx512', 'avx512vbmi', 'neon'];
const THREADS = 3;

for (const instructionSet of SETS) {
  const open = (): Promise<Backend> => createCpuBackend({ instructionSet, threads: THREADS });
  const shared = await open().catch((error: unknown) => String(error));
  if (typeof shared === 'string') {
    console.warn(`conformance of ${instructionSet} skipped: ${shared}`);
    it.skip(`${instructionSet} is not available here`, () => undefined);
    continue;
  }
  describe(`cpu ${instructionSet} conforms`, () => {
    afterAll(() => shared[Symbol.asyncDispose]());

    for (const conformanceCase of conformanceCases()) {
      it(conformanceCase.name, async () => {
        await assertConforms(conformanceCase.disposesBackend ? await open() : shared, conformanceCase);
      });
    }
  });
}
