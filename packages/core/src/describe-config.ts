// What a config.json would be run as, or why it would not: no weights are needed to know.

import { AirllmError } from '@airllm/errors';
import { listWeights, resolveModel } from '@airllm/model-zoo';

export type ConfigDescription =
  | {
      readonly supported: true;
      readonly family: string;
      readonly layers: number;
      /** Weights that are used, a tied head counted once. */
      readonly parameters: number;
    }
  | {
      readonly supported: false;
      readonly code: string;
      /** The values that matter: architecture, field, what was found. */
      readonly fields: Readonly<Record<string, unknown>>;
      readonly reason: string;
    };

/** Resolves a parsed config.json and enumerates the tensors its model would need. */
export function describeConfig(config: unknown): ConfigDescription {
  try {
    const definition = resolveModel(config);
    const { embedding, stages } = listWeights(definition);
    const refs = [
      embedding,
      ...stages.flatMap(({ weights, experts = [] }) => [...weights, ...experts.flat()]),
    ];
    const sizes = new Map(
      refs.map(({ name, shape }) => [name, shape.reduce((product, size) => product * size, 1)]),
    );
    const parameters = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    return { supported: true, family: definition.family, layers: definition.sizes.layers, parameters };
  } catch (error) {
    if (!AirllmError.isInstance(error)) throw error;
    return { supported: false, code: error.code, fields: error.fields, reason: error.message };
  }
}
