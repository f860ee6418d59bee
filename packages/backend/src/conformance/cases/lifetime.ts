// The end of a backend. Each case disposes the backend it is given.

import type { ConformanceCase } from '../conformance-case.js';
import { behaviourCase, complainUnlessRejected, tensorAt } from './checks.js';

export function lifetimeCases(): ConformanceCase[] {
  return [
    behaviourCase('finishes what was submitted before it is disposed', async (backend) => {
      const arena = backend.createArena(16);
      const x = tensorAt(0, 1, 4);
      const submissions = [1, 2, 3].map((value) =>
        backend.submit({ commands: [{ op: 'fill', x, value }], arena }),
      );
      await backend[Symbol.asyncDispose]();
      await Promise.all(submissions);
      return undefined;
    }),
    behaviourCase('refuses submissions once disposed, and can be disposed twice', async (backend) => {
      const arena = backend.createArena(16);
      await backend[Symbol.asyncDispose]();
      await backend[Symbol.asyncDispose]();
      return complainUnlessRejected(
        'a submission',
        backend.submit({ commands: [], arena }),
        'BACKEND_CLOSED',
      );
    }),
  ].map((conformanceCase) => ({ ...conformanceCase, disposesBackend: true }));
}
