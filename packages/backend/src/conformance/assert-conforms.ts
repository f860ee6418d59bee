// The one assertion of the suite, for any test framework.

import { AirllmError } from '@airllm/errors';
import type { Backend } from '../backend.js';
import type { ConformanceCase, ConformanceResult } from './conformance-case.js';

/** Code `NOT_CONFORMING`; fields `case`, `maxError`, `tolerance`. */
export class ConformanceError extends AirllmError {}

/**
 * Runs a case and throws unless the backend meets its tolerance.
 *
 * @throws ConformanceError with the case, the error found and where it is.
 * @example
 * for (const conformanceCase of conformanceCases())
 *   it(conformanceCase.name, () => assertConforms(backend, conformanceCase));
 */
export async function assertConforms(
  backend: Backend,
  conformanceCase: ConformanceCase,
): Promise<ConformanceResult> {
  const { name, tolerance } = conformanceCase;
  const result = await conformanceCase.run(backend);
  if (!(result.maxError <= tolerance)) {
    throw new ConformanceError(
      `Expected ${backend.name} to be within ${tolerance} in "${name}" but found ${result.maxError} (${result.detail})`,
      { code: 'NOT_CONFORMING', fields: { case: name, maxError: result.maxError, tolerance } },
    );
  }
  return result;
}
