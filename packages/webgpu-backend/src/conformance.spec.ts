/** @jest-environment @airllm/jest-preset/swiftshader-environment */
// The suite that compares each op with the float64 reference, on whatever GPU is here: SwiftShader where chromium is installed.

import type { Backend } from '@airllm/backend';
import { assertConforms, conformanceCases } from '@airllm/backend/conformance';
import { createWebGpuBackend, probeWebGpu } from './index.js';

const MIB = 2 ** 20;
const open = (): Promise<Backend> => createWebGpuBackend({ stagingBytes: 32 * MIB });
const probe = await probeWebGpu();

if (!probe.available) {
  console.warn(`conformance of webgpu skipped: ${probe.reason}`);
  it.skip('webgpu is not available here', () => undefined);
} else {
  const shared = await open();

  describe(`webgpu conforms on ${probe.adapter.name}`, () => {
    afterAll(() => shared[Symbol.asyncDispose]());

    for (const conformanceCase of conformanceCases()) {
      it(conformanceCase.name, async () => {
        await assertConforms(conformanceCase.disposesBackend ? await open() : shared, conformanceCase);
      });
    }
  });
}
