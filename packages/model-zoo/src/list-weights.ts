// Which weights a model has and when they are first needed, found by recording it: a definition says nothing
// that it does not compute.

import { Recorder, type ExpertRef, type RecordedCommand, type WeightRef } from '@airllm/backend';
import type { ModelDefinition } from './definition.js';

/** The weights of one program of a pass. */
export interface WeightStage {
  /** `layer 0` …, `head`. */
  readonly name: string;
  /** In order of first use, each once; experts are apart. */
  readonly weights: readonly WeightRef[];
  /** Routed experts by number, where the stage has them. */
  readonly experts?: readonly ExpertRef<WeightRef>[];
}

export interface WeightListing {
  readonly embedding: WeightRef;
  readonly stages: readonly WeightStage[];
}

/**
 * Records every layer and the head for one token and collects what they name. A tied head names the embedding.
 *
 * @example
 * const { stages } = listWeights(resolveModel(config));
 * const names = stages.flatMap((stage) => stage.weights.map((weight) => weight.name));
 */
export function listWeights(definition: ModelDefinition): WeightListing {
  const { sizes, rope, embedding } = definition;
  const stages: WeightStage[] = [];
  for (let layer = 0; layer < sizes.layers; layer++) {
    const rec = new Recorder();
    const hidden = rec.input(1, sizes.hiddenSize);
    const cos = rec.input(1, rope.rotaryDim / 2);
    const sin = rec.input(1, rope.rotaryDim / 2);
    definition.recordLayer(rec, { hidden, cos, sin }, layer);
    stages.push(collect(`layer ${layer}`, rec));
  }
  const rec = new Recorder();
  definition.recordHead(rec, rec.input(1, sizes.hiddenSize));
  stages.push(collect('head', rec));
  return { embedding, stages };
}

function collect(name: string, rec: Recorder): WeightStage {
  const { commands } = rec.finish();
  const weights = new Map(commands.flatMap(weightsOf).map((weight) => [weight.name, weight]));
  const experts = commands.flatMap((command) => (command.op === 'experts' ? command.experts : []));
  return { name, weights: [...weights.values()], ...(experts.length > 0 && { experts }) };
}

function weightsOf(command: RecordedCommand<WeightRef>): WeightRef[] {
  switch (command.op) {
    case 'embedding':
      return [command.table];
    case 'rmsNorm':
      return [command.weight];
    case 'linear':
      return command.bias ? [command.weight, command.bias] : [command.weight];
    case 'experts':
    case 'rope':
    case 'attention':
    case 'glu':
    case 'accumulate':
    case 'fill':
    case 'gatherRows':
    case 'scatterAddRows':
      return [];
  }
}
