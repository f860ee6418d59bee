// The plan: what a model will hold in memory and read from disk under a budget, computed from headers
// alone, before anything is loaded.

import { sizeRun, type RunSize } from '@airllm/generate';
import {
  layOutStore,
  LayerStoreError,
  placeTiles,
  tileBytesFor,
  type Placement,
  type StoredTensor,
  type StoreLayout,
} from '@airllm/layer-store';
import { listWeights, type ModelDefinition } from '@airllm/model-zoo';
import { CoreError } from './errors.js';

/** Where the weights of one layer (or the head) live. */
export interface LayerPlan {
  readonly name: string;
  /** Bytes on disk, every expert included. */
  readonly bytes: number;
  readonly pinnedBytes: number;
  /** Read again for every token. */
  readonly streamedBytes: number;
  /** Read when a token is routed to them and they are not in the cache. */
  readonly expertBytes: number;
  /** Of these, what a token is routed to. */
  readonly routedBytes: number;
}

/** Everything the budget is spent on; all figures in bytes unless named otherwise. */
export interface ModelPlan {
  readonly family: string;
  /** All weights of the model, the embedding included, a tied head once. */
  readonly weightBytes: number;
  /** The budget: what the process stays under. */
  readonly hostBytes: number;
  /** What the process held when the plan was made, and room for it to grow. */
  readonly processBytes: number;
  /** Tiles that stay in memory. */
  readonly pinnedBytes: number;
  /** Buffers that streamed tiles pass through. */
  readonly ringBytes: number;
  readonly expertCacheBytes: number;
  /** Norms, biases and buffers for embedding rows. */
  readonly fixedBytes: number;
  readonly kvBytes: number;
  readonly activationBytes: number;
  readonly logitsBytes: number;
  /** Sequence length `kvBytes` is for; longer runs leave less for pinned weights, shorter ones more. */
  readonly plannedTokens: number;
  /** Longest sequence allowed. */
  readonly maxSequenceTokens: number;
  /** Dense bytes read from disk per pass once pinned tiles are loaded. */
  readonly streamedBytesPerPass: number;
  /** Expert bytes read per token where every expert is routed to as often as the others. */
  readonly expectedExpertBytesPerPass: number;
  /** Bytes of weights that a token is computed with. */
  readonly computedBytesPerPass: number;
  /** The smallest `memory.host` that works for `plannedTokens`. */
  readonly minimumHostBytes: number;
  readonly layers: readonly LayerPlan[];
}

/** A plan with what is needed to carry it out. */
export interface PreparedPlan {
  readonly plan: ModelPlan;
  readonly layout: StoreLayout;
  readonly weightBudgetBytes: number;
  /** What no weight may take: the shortest of runs needs it. */
  readonly reservedRunBytes: number;
}

export interface PlanOptions {
  readonly definition: ModelDefinition;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly hostBytes: number;
  readonly processBytes: number;
  readonly maxSeqLen?: number | undefined;
}

/** Sequence length to plan the KV cache for, unless `maxSeqLen` or the model says less. */
const PLANNED_TOKENS = 512;
const FEWEST_PLANNED_TOKENS = 64;
/** Planned KV cache and activations each take at most about this share of the memory. */
const RUN_SHARE = 1 / 8;

/**
 * @throws CoreError `BUDGET_TOO_SMALL` naming the smallest budget that works; LayerStoreError when a weight is
 * missing or has another shape or dtype
 */
export function preparePlan(options: PlanOptions): PreparedPlan {
  const { definition, tensors, hostBytes, processBytes } = options;
  const memoryBytes = hostBytes - processBytes;
  const maxSequenceTokens = options.maxSeqLen ?? definition.sizes.maxPositions;
  const { run, plannedTokens } = planRun(definition, maxSequenceTokens, memoryBytes);
  const weightBudgetBytes = memoryBytes - run.bytes;
  const { embedding, stages } = listWeights(definition);
  const storedBytes = [...tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const tileBytes = tileBytesFor(weightBudgetBytes, storedBytes);
  const { shuffledGroups } = definition;
  const layout = layOutStore({ stages, embedding, tensors, tileBytes, shuffledGroups });
  const minimumHostBytes = processBytes + run.bytes + layout.minimumBytes;
  const placement = placeWithin(layout, weightBudgetBytes, { hostBytes, minimumHostBytes });
  const layers = planLayers(
    layout,
    placement,
    stages.map(({ routedShare }) => routedShare ?? 0),
  );
  const sum = (of: (layer: LayerPlan) => number): number =>
    layers.reduce((total, layer) => total + of(layer), 0);
  const expertCacheBytes = placement.expertSlots * placement.expertSlotBytes;
  const uncached =
    1 -
    Math.min(
      1,
      expertCacheBytes /
        Math.max(
          1,
          sum((layer) => layer.expertBytes),
        ),
    );
  return {
    layout,
    weightBudgetBytes,
    reservedRunBytes: smallestRunBytes(definition),
    plan: {
      family: definition.family,
      weightBytes: layout.weightBytes,
      hostBytes,
      processBytes,
      pinnedBytes: placement.pinnedBytes,
      ringBytes: placement.ringSlots * placement.ringSlotBytes,
      expertCacheBytes,
      fixedBytes: layout.fixedBytes,
      kvBytes: run.kvBytes,
      activationBytes: run.arenaBytes,
      logitsBytes: run.logitsBytes,
      plannedTokens,
      maxSequenceTokens,
      streamedBytesPerPass: sum((layer) => layer.streamedBytes),
      expectedExpertBytesPerPass: Math.round(uncached * sum((layer) => layer.routedBytes)),
      computedBytesPerPass: sum((layer) => layer.bytes - layer.expertBytes + layer.routedBytes),
      minimumHostBytes,
      layers,
    },
  };
}

/** Sizes a run of one sequence: as long as planned for, shorter where the KV cache would crowd out the weights. */
function planRun(
  definition: ModelDefinition,
  maxSequenceTokens: number,
  memoryBytes: number,
): { run: RunSize; plannedTokens: number } {
  const share = memoryBytes * RUN_SHARE;
  const size = (tokens: number): RunSize =>
    sizeRun(definition, { sequenceTokens: [tokens], promptRows: tokens }, share);
  let plannedTokens = Math.min(maxSequenceTokens, PLANNED_TOKENS);
  let run = size(plannedTokens);
  while (run.kvBytes > share && plannedTokens > FEWEST_PLANNED_TOKENS) {
    plannedTokens = Math.max(FEWEST_PLANNED_TOKENS, Math.floor(plannedTokens / 2));
    run = size(plannedTokens);
  }
  return { run, plannedTokens };
}

function smallestRunBytes(definition: ModelDefinition): number {
  return sizeRun(definition, { sequenceTokens: [1], promptRows: 1 }, 0).bytes;
}

function placeWithin(
  layout: StoreLayout,
  budgetBytes: number,
  { hostBytes, minimumHostBytes }: { hostBytes: number; minimumHostBytes: number },
): Placement {
  try {
    return placeTiles(layout.denseTiles, [...layout.expertTiles.values()], budgetBytes - layout.fixedBytes);
  } catch (error) {
    if (!(error instanceof LayerStoreError) || error.code !== 'BUDGET_TOO_SMALL') throw error;
    throw new CoreError(
      'BUDGET_TOO_SMALL',
      `Expected memory.host of at least ${minimumHostBytes} bytes (${Math.ceil(minimumHostBytes / 1e6)}MB) for this model but received ${hostBytes}`,
      { fields: { minimumHostBytes, hostBytes }, cause: error },
    );
  }
}

/** `routedShares` per stage: the share of its experts that a token is routed to. */
function planLayers(layout: StoreLayout, placement: Placement, routedShares: readonly number[]): LayerPlan[] {
  return layout.stageNames.map((name, stage) => {
    const tiles = layout.denseTiles.filter((tile) => tile.stage === stage);
    const experts = [...layout.expertTiles.values()].filter((tile) => tile.stage === stage);
    const total = (of: readonly { bufferBytes: number }[]): number =>
      of.reduce((sum, tile) => sum + tile.bufferBytes, 0);
    const pinnedBytes = total(tiles.filter((tile) => placement.pinned[tile.index]));
    const expertBytes = total(experts);
    return {
      name,
      bytes: total(tiles) + expertBytes,
      pinnedBytes,
      streamedBytes: total(tiles) - pinnedBytes,
      expertBytes,
      routedBytes: Math.round(expertBytes * (routedShares[stage] ?? 0)),
    };
  });
}
