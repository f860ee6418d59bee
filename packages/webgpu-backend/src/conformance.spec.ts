/** @jest-environment @airllm/jest-preset/swiftshader-environment */
// The suite that compares each op with the float64 reference, on whatever GPU is here: SwiftShader where chromium is installed.

import type { Backend } from '@airllm/backend';
import { assertConforms, conformanceCases } from '@airllm/backend/conformance';
import { createWebGpuBackend, probeWebGpu } from './index.js';

const MIB = 2 ** 20;
const open = (): Promise<Backend> => createWebGpuBackend({ stagingBytes: 32 * MIB });
/** With so little between kernels that latent attention takes some rows at a time, 15 of 49 at rank 512 and 157 of 331. */
const openNarrow = (): Promise<Backend> => createWebGpuBackend({ workspaceBytes: MIB / 16 });
const probe = await probeWebGpu();

if (!probe.available) {
  console.warn(`conformance of webgpu skipped: ${probe.reason}`);
  it.skip('webgpu is not available here', () => undefined);
} else {
  const shared = await open();

  describe('webgpu conforms with a small workspace', () => {
    let narrow: Backend;
    beforeAll(async () => {
      narrow = await openNarrow();
    });
    afterAll(() => narrow[Symbol.asyncDispose]());

    for (const conformanceCase of conformanceCases()) {
      const { name } = conformanceCase;
      if (!/^latentAttention (long prefill|.* rank 512)|^linear bf16z rows/.test(name)) continue;
      it(name, async () => {
        await assertConforms(narrow, conformanceCase);
      });
    }
  });

  describe(`webgpu conforms on ${probe.adapter.name}`, () => {
    afterAll(() => shared[Symbol.asyncDispose]());

    for (const conformanceCase of conformanceCases()) {
      it(conformanceCase.name, async () => {
        await assertConforms(conformanceCase.disposesBackend ? await open() : shared, conformanceCase);
      });
    }
  });
}
