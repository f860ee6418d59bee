// How a checkpoint stores its experts, where the same model is published in several ways: one tensor for all, output-major
// or input-major, or one per expert and matrix, as transformers saves some and as FP8 conversions have them. No config
// field says which.

import type { CheckpointHints } from '../family.js';
import { FUSED_LAYOUT, PLAIN_MIXTURE, type ExpertLayout } from './mixture-config.js';

const SEPARATE = /\.mlp\.experts\.\d+\.(gate|up|down)_proj\./;
const FUSED_DOWN = /\.mlp\.experts\.down_proj$/;

export interface LayoutQuestion {
  /** The layout where tensors are not known or leave it open. */
  readonly published: ExpertLayout;
  readonly hiddenSize: number;
  /** Between the projections of one expert. */
  readonly width: number;
}

/** The layout that the first expert tensor shows by its name and shape. */
export function findLayout({ tensors }: CheckpointHints, question: LayoutQuestion): ExpertLayout {
  const { published, hiddenSize, width } = question;
  for (const [name, { shape }] of tensors ?? []) {
    if (SEPARATE.test(name)) return PLAIN_MIXTURE.layout;
    if (!FUSED_DOWN.test(name)) continue;
    // Square matrices do not tell which way they lie.
    if (width === hiddenSize && published.kind === 'fused') return published;
    return { ...FUSED_LAYOUT, inputMajor: width !== hiddenSize && shape[1] === width };
  }
  return published;
}
