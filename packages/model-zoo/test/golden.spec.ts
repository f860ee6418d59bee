// Every golden case through the reference backend: hidden states after each layer, and logits, against what
// transformers (ChatGLM: the vendor's code) computed in float32 from the same weights.

import { resolveModel } from '../src/index.js';
import { floats, readCase, safetensorsCases } from './support/golden-case.js';
import { runPrompt } from './support/run-prompt.js';

/** Share of the reference's standard deviation that a value may be off. */
const TOLERANCE = 2e-3;

describe.each(safetensorsCases)('%s', (name) => {
  const { config, tensors, golden, expected } = readCase(name);

  it.each(golden.prompts.map((prompt, index) => [index, prompt.input_ids] as const))(
    'prompt %i gives the reference logits',
    async (index, ids) => {
      const definition = resolveModel(config);
      const { logits, hidden } = await runPrompt(definition, tensors, ids);
      expect(relativeError(logits, floats(expected.get(`logits.${index}`)))).toBeLessThan(TOLERANCE);
      if (index !== golden.hidden_prompt) return;
      hidden.forEach((state, layer) => {
        const isLast = layer === definition.sizes.layers;
        const reference = isLast ? `prenorm.${index}` : `hidden.${index}.${layer}`;
        expect(relativeError(state, floats(expected.get(reference)))).toBeLessThan(TOLERANCE);
      });
    },
  );
});

/** Largest difference, in standard deviations of the reference. */
function relativeError(actual: Float32Array, reference: Float32Array): number {
  expect(actual.length).toBe(reference.length);
  const mean = reference.reduce((sum, value) => sum + value, 0) / reference.length;
  const variance = reference.reduce((sum, value) => sum + (value - mean) ** 2, 0) / reference.length;
  const worst = actual.reduce((max, value, i) => Math.max(max, Math.abs(value - (reference[i] ?? NaN))), 0);
  return worst / Math.sqrt(variance);
}
