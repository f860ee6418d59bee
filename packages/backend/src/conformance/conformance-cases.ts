// The catalogue of the conformance suite.

import { attentionCases } from './cases/attention.js';
import { batchInvarianceCases } from './cases/batch-invariance.js';
import { behaviourCases } from './cases/behaviour.js';
import { chunkingCases } from './cases/chunking.js';
import { elementwiseCases } from './cases/elementwise.js';
import { embeddingCases } from './cases/embedding.js';
import { linearCases } from './cases/linear.js';
import { latentAttentionCases } from './cases/latent-attention.js';
import { layerNormCases } from './cases/layer-norm.js';
import { linearOptionCases } from './cases/linear-options.js';
import { linearTransposedCases } from './cases/linear-transposed.js';
import { lifetimeCases } from './cases/lifetime.js';
import { gateCases } from './cases/gates.js';
import { recurrentCases } from './cases/recurrent.js';
import { refusalCases } from './cases/refusal.js';
import { rmsNormCases } from './cases/rms-norm.js';
import { packedCases } from './cases/packed.js';
import { ropeCases } from './cases/rope.js';
import { rowsCases } from './cases/rows.js';
import type { Precision } from '../precision.js';
import type { ConformanceCase } from './conformance-case.js';
import { ROUNDED_OPERANDS } from './tolerances.js';

/**
 * All cases, in an order in which a new backend can be made to pass them. In `fast` precision `linear` of weights that
 * are not f32 has the tolerance of rounded operands, and its rows may depend on their batch; nothing else changes.
 */
export function conformanceCases({ precision = 'exact' }: { precision?: Precision } = {}): ConformanceCase[] {
  return precision === 'exact' ? exactCases() : exactCases().flatMap(fastCase);
}

/** None for what `fast` does not promise. */
function fastCase(conformanceCase: ConformanceCase): ConformanceCase[] {
  const { op, dtype, group } = conformanceCase;
  if (op !== 'linear' || dtype === 'f32') return [conformanceCase];
  if (group === 'batch-invariance') return [];
  return group === 'accuracy' ? [{ ...conformanceCase, tolerance: ROUNDED_OPERANDS }] : [conformanceCase];
}

function exactCases(): ConformanceCase[] {
  return [
    ...elementwiseCases(),
    ...gateCases(),
    ...rowsCases(),
    ...embeddingCases(),
    ...rmsNormCases(),
    ...layerNormCases(),
    ...linearCases(),
    ...linearOptionCases(),
    ...linearTransposedCases(),
    ...packedCases(),
    ...ropeCases(),
    ...attentionCases(),
    ...latentAttentionCases(),
    ...recurrentCases(),
    ...chunkingCases(),
    ...behaviourCases(),
    ...refusalCases(),
    ...batchInvarianceCases(),
    ...lifetimeCases(),
  ];
}
