// The reference backend passes its own suite; a backend with a fault does not.

import type { Backend, Submission } from '../backend.js';
import { createReferenceBackend } from '../reference/index.js';
import { assertConforms, conformanceCases } from './index.js';

describe('the reference backend conforms', () => {
  const shared = createReferenceBackend();
  afterAll(() => shared[Symbol.asyncDispose]());

  for (const conformanceCase of conformanceCases()) {
    it(conformanceCase.name, async () => {
      await assertConforms(conformanceCase.disposesBackend ? createReferenceBackend() : shared, conformanceCase);
    });
  }
});
