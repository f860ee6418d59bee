// How much memory a run takes beside the weights: activations, KV cache, logits.

import { KV_BLOCK_TOKENS, kvCacheByteLength, type KvCacheShape } from '@airllm/backend';
import type { ModelDefinition } from '@airllm/model-zoo';
import { arenaElements, type PassShape } from '../pass/pass-programs.js';

/** What is needed to size a run. */
export interface RunRequest {
  /** Tokens each sequence can grow to, prompt included. */
  readonly sequenceTokens: readonly number[];
  /** Rows of the first pass: all prompt tokens. */
  readonly promptRows: number;
  /** Rows of a pass whose logits are wanted. Default: the last of every sequence. */
  readonly logitRows?: number;
}

export interface RunSize {
  readonly shape: PassShape;
  readonly kvShape: KvCacheShape;
  readonly arenaElements: number;
  readonly arenaBytes: number;
  readonly kvBytes: number;
  /** Logits on their way from the device to the sampler. */
  readonly logitsBytes: number;
  /** All of it. */
  readonly bytes: number;
}

/** Which memory a run takes. */
export interface RunDemand {
  readonly hostBytes: number;
  /** Of a device's own memory. */
  readonly deviceBytes: number;
}

/** What a device with memory of its own may round each of its buffers up to. */
const DEVICE_BUFFER_BYTES = 256;

/** Prompt tokens computed at once, where memory allows. */
const MOST_ROWS = 512;
/** Below this many rows a prompt is read with hardly any reuse of a weight; memory is then asked for instead. */
const FEWEST_ROWS = 16;
/** Copies of a row of logits: read back, and the sampler's workspace. */
const LOGITS_COPIES = 3;

/**
 * Sizes a run whose activations should take about `activationBytes` at most (never fewer than a minimum of
 * rows); a longer prompt runs in chunks.
 */
export function sizeRun(definition: ModelDefinition, request: RunRequest, activationBytes: number): RunSize {
  const sequences = request.sequenceTokens.length;
  const fewest = Math.max(sequences, Math.min(request.promptRows, FEWEST_ROWS));
  const mostRows = Math.max(sequences, Math.min(request.promptRows, MOST_ROWS));
  let shape: PassShape = { rows: mostRows, logitRows: Math.min(mostRows, request.logitRows ?? sequences) };
  let elements = arenaElements(definition, shape);
  while (elements * 4 > activationBytes && (shape.rows > fewest || shape.logitRows > sequences)) {
    shape = {
      rows: Math.max(fewest, Math.floor(shape.rows / 2)),
      logitRows: Math.max(sequences, Math.floor(shape.logitRows / 2)),
    };
    elements = arenaElements(definition, shape);
  }
  const kvShape: KvCacheShape = {
    layers: definition.sizes.cache,
    slots: sequences,
    blocks: request.sequenceTokens.reduce((sum, tokens) => sum + blocksFor(tokens), 0),
  };
  const arenaBytes = elements * 4;
  const kvBytes = kvCacheByteLength(kvShape);
  const logitsBytes = shape.logitRows * definition.sizes.vocabSize * 4 * LOGITS_COPIES;
  return {
    shape,
    kvShape,
    arenaElements: elements,
    arenaBytes,
    kvBytes,
    logitsBytes,
    bytes: arenaBytes + kvBytes + logitsBytes,
  };
}

/** Activations and KV cache lie where ops run; logits come to the host. */
export function demandOf(
  { bytes, arenaBytes, kvBytes, logitsBytes, kvShape }: RunSize,
  { onDevice }: { onDevice: boolean },
): RunDemand {
  if (!onDevice) return { hostBytes: bytes, deviceBytes: 0 };
  // Keys and values of each layer, and the arena.
  const buffers = 2 * kvShape.layers.length + 1;
  return { hostBytes: logitsBytes, deviceBytes: arenaBytes + kvBytes + buffers * DEVICE_BUFFER_BYTES };
}

/** KV cache blocks that hold `tokens` tokens. */
export function blocksFor(tokens: number): number {
  return Math.ceil(tokens / KV_BLOCK_TOKENS);
}
