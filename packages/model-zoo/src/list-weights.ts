// Which weights a model has and when they are first needed, found by recording it: a definition says nothing
// that it does not compute.

import { Recorder, type RecordedCommand, type WeightRef } from '@airllm/backend';
import type { ModelDefinition, PassState } from './definition.js';

/** The weights of one program of a pass. */
export interface WeightStage {
  /** `layer 0` …, `head`. */
  readonly name: string;
  /** In order of first use, each once; those of routed experts are apart. */
  readonly weights: readonly WeightRef[];
  /** Weights of each routed expert by its number, in order of use, where the stage has them. */
  readonly experts?: readonly (readonly WeightRef[])[];
  /** Share of them that a token is routed to. */
  readonly routedShare?: number;
}

export interface WeightListing {
  readonly embedding: WeightRef;
  readonly stages: readonly WeightStage[];
  /** Names of those whose op takes single values alone, so that they cannot be packed: heads that are normalised. */
  readonly unpackable: ReadonlySet<string>;
}

/**
 * Records every layer and the head for one token and collects what they name. A tied head names the embedding.
 *
 * @example
 * const { stages } = listWeights(resolveModel(config));
 * const names = stages.flatMap((stage) => stage.weights.map((weight) => weight.name));
 */
export function listWeights(definition: ModelDefinition): WeightListing {
  const { sizes, ropes, rowScales, embedding } = definition;
  const stages: WeightStage[] = [];
  for (let layer = 0; layer < sizes.layers; layer++) {
    const rec = new Recorder();
    const state: PassState = {
      hidden: rec.input(1, sizes.hiddenSize),
      rotary: ropes.map(({ rotaryDim }) => ({
        cos: rec.input(1, rotaryDim / 2),
        sin: rec.input(1, rotaryDim / 2),
      })),
      rowScales: rowScales.map(() => rec.input(1, 1)),
    };
    definition.recordLayer(rec, state, layer);
    stages.push(collect(`layer ${layer}`, rec.finish().commands));
  }
  const rec = new Recorder();
  definition.recordHead(rec, rec.input(1, sizes.hiddenSize));
  const { commands } = rec.finish();
  stages.push(collect('head', commands));
  const unpackable = new Set(
    commands.flatMap((command) =>
      command.op === 'linear' && command.normalizeRows ? [command.weight.name] : [],
    ),
  );
  return { embedding, stages, unpackable };
}

function collect(name: string, commands: readonly RecordedCommand<WeightRef>[]): WeightStage {
  const weights = distinct(commands.flatMap(weightsOf));
  const experts = commands.flatMap(expertsOf);
  if (experts.length === 0) return { name, weights };
  const routed = commands.reduce(
    (sum, command) => sum + (command.op === 'experts' ? command.routing.topK : 0),
    0,
  );
  return { name, weights, experts, routedShare: routed / experts.length };
}

function expertsOf(command: RecordedCommand<WeightRef>): WeightRef[][] {
  if (command.op !== 'experts') return [];
  return Array.from({ length: command.logits.cols }, (_, expert) =>
    distinct(command.record(expert).commands.flatMap(weightsOf)),
  );
}

/** The operands of a command that are weights. */
function weightsOf(command: RecordedCommand<WeightRef>): WeightRef[] {
  if (command.op === 'experts') {
    const { correctionBias } = command.routing;
    return correctionBias ? [correctionBias] : [];
  }
  return Object.values(command).filter(isWeight);
}

function isWeight(operand: unknown): operand is WeightRef {
  return typeof operand === 'object' && operand !== null && 'name' in operand && 'shape' in operand;
}

function distinct(weights: readonly WeightRef[]): WeightRef[] {
  return [...new Map(weights.map((weight) => [weight.name, weight])).values()];
}
