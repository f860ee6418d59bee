// Which experts will the next layer want? Its router, applied to what this layer's router sees, is right most of the time,
// since a layer changes the hidden state little (Eliseev and Mazur, 2023, "Fast Inference of Mixture-of-Experts Language
// Models with Offloading"). A disk that would wait for the real choice reads those meanwhile.
//
//   this layer   hidden ─ norm ─ router ─► experts ─► (+) ─► hidden
//                    └─── norm of the next ─ router of the next ─► preview

import {
  alignElements,
  Tensor,
  type ExpertsCommand,
  type LayerNormCommand,
  type LinearCommand,
  type Program,
  type RecordedCommand,
  type RmsNormCommand,
  type WeightRef,
} from '@airllm/backend';
import { findRouters, lastWriter } from './find-routers.js';

/** Rows that are looked ahead for: more of them want most of the experts anyway. */
export const PREVIEW_ROWS = 4;

type NormCommand = RmsNormCommand<WeightRef> | LayerNormCommand<WeightRef>;

export interface RouterPreview {
  readonly norm: NormCommand;
  readonly router: LinearCommand<WeightRef>;
  /** Of the next layer. */
  readonly mixture: ExpertsCommand<WeightRef>;
}

/** Float32 values that a preview needs, at the end of the arena, behind what the layer's program uses. */
export function previewElements(hiddenSize: number, experts: number): number {
  return alignElements(PREVIEW_ROWS * hiddenSize) + alignElements(PREVIEW_ROWS * experts);
}

/**
 * The preview of `next` that can be computed when the router of `layer` is; undefined where one of them has none, or they do not
 * begin from the same hidden state.
 *
 * @param arenaElements of the arena they run in, which has {@link previewElements} to spare
 */
export function previewRouter(
  layer: Program,
  next: Program,
  arenaElements: number,
): RouterPreview | undefined {
  const here = findRouting(layer.commands);
  const there = findRouting(next.commands);
  if (!here || !there) return undefined;
  const { x } = here.norm;
  const { rows, cols } = there.norm.x;
  const isSame = x.offset === there.norm.x.offset && x.rows === rows && x.cols === cols;
  if (!isSame || rows > PREVIEW_ROWS) return undefined;
  const start = arenaElements - previewElements(cols, there.mixture.logits.cols);
  const normed = tensorAt(start, rows, cols);
  const logits = tensorAt(start + alignElements(PREVIEW_ROWS * cols), rows, there.mixture.logits.cols);
  return {
    norm: { ...there.norm, out: normed },
    router: { ...there.router, x: normed, out: logits },
    mixture: there.mixture,
  };
}

function tensorAt(offset: number, rows: number, cols: number): Tensor {
  return new Tensor({ elements: rows * cols, offset }, rows, cols, cols, 0);
}

interface Routing {
  readonly norm: NormCommand;
  readonly router: LinearCommand<WeightRef>;
  readonly mixture: ExpertsCommand<WeightRef>;
}

/** The first mixture of a layer, what writes its logits, and what writes the router's input. */
function findRouting(commands: readonly RecordedCommand<WeightRef>[]): Routing | undefined {
  const [[router, mixture] = []] = findRouters(commands);
  if (router?.op !== 'linear' || !mixture) return undefined;
  const norm = lastWriter(commands, router.x.storage, commands.indexOf(router));
  return norm?.op === 'rmsNorm' || norm?.op === 'layerNorm' ? { norm, router, mixture } : undefined;
}
