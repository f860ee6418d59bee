// Every instruction set and precision of this machine passes the suite that compares each op with the float64 reference.

import { PRECISIONS, type Backend } from '@airllm/backend';
import { assertConforms, conformanceCases } from '@airllm/backend/conformance';
import type { InstructionSet } from './binding.js';
import { createCpuBackend } from './index.js';

const SETS: Exclude<InstructionSet, 'auto'>[] = ['scalar', 'avx2', 'avx512', 'avx512vbmi', 'amx', 'neon'];
const THREADS = 3;

for (const [instructionSet, precision] of SETS.flatMap((set) =>
  PRECISIONS.map((one) => [set, one] as const),
)) {
  const open = (): Promise<Backend> => createCpuBackend({ instructionSet, precision, threads: THREADS });
  const shared = await open().catch((error: unknown) => String(error));
  if (typeof shared === 'string') {
    console.warn(`conformance of ${instructionSet} ${precision} skipped: ${shared}`);
    it.skip(`${instructionSet} ${precision} is not available here`, () => undefined);
    continue;
  }
  if (shared.description.includes('fast is exact')) {
    console.warn(`conformance of ${instructionSet} fast skipped: it is the exact one here`);
    await shared[Symbol.asyncDispose]();
    continue;
  }
  describe(`cpu ${instructionSet} ${precision} conforms`, () => {
    afterAll(() => shared[Symbol.asyncDispose]());

    for (const conformanceCase of conformanceCases({ precision })) {
      it(conformanceCase.name, async () => {
        await assertConforms(conformanceCase.disposesBackend ? await open() : shared, conformanceCase);
      });
    }
  });
}
