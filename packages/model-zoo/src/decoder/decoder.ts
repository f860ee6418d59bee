// The one decoder block: a mixer and a feed-forward part, each added to the stream, with norms where the family has
// them. Families change the config, never these functions.
//
//   one after the other   hidden ─┬─ [norm] ─ mixer ─ [norm] ─(+)─┬─ [norm] ─ feed-forward ─ [norm] ─(+)─ hidden
//                                 └──────────────────────────────┘└─────────────────────────────────┘
//   parallel              both read hidden; then both are added to it

import type { CacheLayerShape, Recorder, Tensor, WeightRef } from '@airllm/backend';
import type { ModelDefinition, PassState } from '../definition.js';
import { createRope } from '../rope/create-rope.js';
import type { DecoderConfig, FeedForward, LayerContext, Mixer } from './decoder-config.js';
import { ignoredTensors } from './ignored-tensors.js';
import { LayerScope } from './layer-scope.js';
import { recordAttention } from './record-attention.js';
import { recordMlp } from './record-mlp.js';
import { recordNorm } from './record-norm.js';

/** What is true of a checkpoint whatever its architecture. */
export interface DecoderFacts extends Pick<ModelDefinition, 'shuffledGroups'> {
  /** For people. Default none. */
  readonly notices?: readonly string[];
}

/** An architecture that is this block with a config. */
export function createDecoder(
  family: string,
  config: DecoderConfig,
  { notices = [], shuffledGroups }: DecoderFacts,
): ModelDefinition {
  const { names, hiddenSize, vocabSize, maxPositions, embeddingScale, mixers, feedForwards } = config;
  const layers = mixers.length;
  const model = new LayerScope('');
  const embedding = model.matrix(names.embedding, vocabSize, hiddenSize);
  const head = config.tiedHead ? embedding : model.matrix(names.head, vocabSize, hiddenSize);
  return {
    family,
    notices,
    sizes: { hiddenSize, layers, vocabSize, maxPositions, cache: mixers.map(cacheOf) },
    ropes: config.ropes.map(createRope),
    rowScales: config.rowScales,
    embedding,
    ...(embeddingScale !== 1 && {
      recordInput: (rec: Recorder, { hidden }: PassState) => void rec.scale(hidden, embeddingScale),
    }),
    recordLayer(rec, state, layer) {
      const mixer = mixers[layer];
      const feedForward = feedForwards[layer];
      if (!mixer || !feedForward) {
        throw new RangeError(`Expected a layer below ${layers} but received ${layer}`);
      }
      const weights = new LayerScope(names.layer.replace('{layer}', String(layer)));
      recordBlock(rec, { config, mixer, feedForward, context: { state, layer, weights } });
    },
    recordHead: (rec, hidden) => recordHead(rec, hidden, { config, head }),
    shuffledGroups,
    ignores: ignoredTensors(config),
  };
}

function cacheOf(mixer: Mixer): CacheLayerShape {
  if (mixer.kind === 'recorded') return mixer.cache;
  return { kind: 'attention', kvHeads: mixer.kvHeads, headDim: mixer.headDim, keysOnly: false };
}

interface Block {
  readonly config: DecoderConfig;
  readonly mixer: Mixer;
  readonly feedForward: FeedForward;
  readonly context: LayerContext;
}

function recordBlock(rec: Recorder, { config, mixer, feedForward, context }: Block): void {
  const { norm, norms, ropes, residualScale } = config;
  const { weights } = context;
  const { hidden } = context.state;
  const normed = (x: Tensor, stem: string | undefined, out?: Tensor): Tensor =>
    stem === undefined ? x : recordNorm(rec, x, { norm, weights, stem, ...(out && { out }) });
  const mix = (x: Tensor): Tensor =>
    mixer.kind === 'recorded'
      ? mixer.record(rec, x, context)
      : recordAttention(rec, x, { attention: mixer, context: { ...context, ropes } });
  const feed = (x: Tensor): Tensor =>
    feedForward.kind === 'recorded'
      ? feedForward.record(rec, x, context)
      : recordMlp(rec, x, { mlp: feedForward, weights });
  const add = (part: Tensor, stem: string | undefined): void => {
    const update = normed(part, stem, part);
    if (residualScale !== 1) rec.scale(update, residualScale);
    rec.accumulate(hidden, update);
  };

  const mixerInput = normed(hidden, norms.beforeMixer);
  if (config.parallel) {
    const mixed = mix(mixerInput);
    const fed = feed(
      norms.beforeFeedForward === undefined ? mixerInput : normed(hidden, norms.beforeFeedForward),
    );
    add(mixed, norms.afterMixer);
    add(fed, norms.afterFeedForward);
    return;
  }
  add(mix(mixerInput), norms.afterMixer);
  add(feed(normed(hidden, norms.beforeFeedForward)), norms.afterFeedForward);
}

/** [T, D] → logits [T, vocabSize]. */
function recordHead(
  rec: Recorder,
  hidden: Tensor,
  { config, head }: { config: DecoderConfig; head: WeightRef },
): Tensor {
  const { norm, names, logitScale, logitSoftcap, normalizedHead: normalizeRows } = config;
  const normed = recordNorm(rec, hidden, { norm, weights: new LayerScope(''), stem: names.finalNorm });
  const logits = rec.linear(normed, head, { normalizeRows });
  if (logitScale !== 1) rec.scale(logits, logitScale);
  return logitSoftcap === undefined ? logits : rec.softcap(logits, logitSoftcap);
}
