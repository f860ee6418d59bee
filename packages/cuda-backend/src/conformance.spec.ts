// The kernels pass the suite that compares each op with the float64 reference, on the emulated device: the same sources, launches and
// ring as on a GPU.

import { PRECISIONS, type Backend } from '@airllm/backend';
import { assertConforms, conformanceCases } from '@airllm/backend/conformance';
import { createEmulatedBackend } from './emulated.js';

for (const precision of PRECISIONS) {
  // So little staging that submissions take several loads.
  const open = (): Promise<Backend> => createEmulatedBackend({ precision, stagingBytes: 2 * 2 ** 20 });
  const shared = await open().catch((error: unknown) => String(error));
  if (typeof shared === 'string') {
    console.warn(`conformance of emulated ${precision} skipped: ${shared}`);
    it.skip(`emulated ${precision} is not available here`, () => undefined);
    continue;
  }
  // Only `linear` differs in `fast`.
  const cases = conformanceCases({ precision }).filter(({ op }) => precision === 'exact' || op === 'linear');
  describe(`cuda emulated ${precision} conforms`, () => {
    afterAll(() => shared[Symbol.asyncDispose]());

    for (const conformanceCase of cases) {
      it(conformanceCase.name, async () => {
        await assertConforms(conformanceCase.disposesBackend ? await open() : shared, conformanceCase);
      });
    }
  });
}
