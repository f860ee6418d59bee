// The implementations that this machine has, for `describe.each`.

import { createReferenceKernels, type Kernels } from '../src/index.js';

export const every: readonly { description: string; kernels: Kernels }[] = [createReferenceKernels()].map(
  (kernels) => ({ description: kernels.description, kernels }),
);
