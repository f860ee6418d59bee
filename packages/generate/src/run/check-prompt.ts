// Whether a prompt can be run at all: its ids and its length.

import { GenerateError } from '../errors.js';

/**
 * @param limits `room`: tokens that must fit after the prompt
 * @throws GenerateError `INVALID_OPTION`, `CONTEXT_OVERFLOW`
 */
export function checkPrompt(
  prompt: readonly number[],
  limits: { vocabSize: number; maxSequenceTokens: number; room: number },
): void {
  const { vocabSize, maxSequenceTokens, room } = limits;
  if (prompt.length === 0)
    throw new GenerateError('INVALID_OPTION', 'Expected at least one token per prompt but received none');
  const unknown = prompt.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (unknown !== undefined) {
    throw new GenerateError(
      'INVALID_OPTION',
      `Expected token ids within [0, ${vocabSize}) but received ${unknown}`,
      { fields: { option: 'inputIds', expected: `[0, ${vocabSize})`, found: unknown } },
    );
  }
  if (prompt.length + room > maxSequenceTokens) {
    throw new GenerateError(
      'CONTEXT_OVERFLOW',
      `Expected a prompt of at most ${maxSequenceTokens - room} tokens but received ${prompt.length}; shorten it or raise maxSeqLen`,
      { fields: { promptTokens: prompt.length, maxSequenceTokens } },
    );
  }
}
