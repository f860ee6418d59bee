// Chooses the next token of one sequence from its logits. The steps are in the files beside this one.

import { bestToken } from './best-token.js';
import { selectCandidates } from './candidates.js';
import { applyPenalties, type TokenHistory } from './penalties.js';
import type { ResolvedSamplingOptions } from './sampling-options.js';
import { SamplingWorkspace } from './workspace.js';
import { Xoshiro128 } from './xoshiro128.js';

export interface SampledToken {
  readonly tokenId: number;
  /** Natural logarithm of the model's own probability of the token, before penalties, temperature and filters. */
  readonly logprob?: number;
}

export interface Sampler {
  /**
   * @param logits `[vocabSize]` of the last position; left untouched
   * @throws {@link GenerateError} `NON_FINITE_LOGITS`
   */
  sample(logits: Float32Array, history: TokenHistory): SampledToken;
}

export interface SamplerContext {
  /** Place of the sequence in its batch; each has its own random stream, whatever the batch size. Default 0. */
  sequenceIndex?: number;
  /** Share one between the sequences of a batch to save memory. Default: a new one. */
  workspace?: SamplingWorkspace;
  /** Report {@link SampledToken.logprob}; costs a pass over the vocabulary. Default false. */
  logprobs?: boolean;
}

/**
 * Creates the sampler of one sequence: penalties and biases first, then greedy choice, or
 * temperature → top-k → top-p → min-p → a draw, as transformers orders them.
 *
 * @example
 * const sampler = createSampler(resolveSamplingOptions({ temperature: 0.8, seed: 7 }));
 * const { tokenId } = sampler.sample(logits, { promptIds, generatedIds });
 */
export function createSampler(
  options: ResolvedSamplingOptions,
  { sequenceIndex = 0, workspace = new SamplingWorkspace(), logprobs = false }: SamplerContext = {},
): Sampler {
  const random = options.doSample ? Xoshiro128.fromSeed(options.seed, sequenceIndex) : undefined;
  return {
    sample(logits, history) {
      workspace.load(logits);
      applyPenalties(workspace, history, options);
      const best = bestToken(workspace.scores);
      let tokenId = best.tokenId;
      if (random !== undefined) {
        const { count, totalWeight } = selectCandidates(workspace, best.score, options);
        tokenId = draw(workspace, count, random.nextFloat() * totalWeight);
      }
      return logprobs ? { tokenId, logprob: logProbability(logits, tokenId) } : { tokenId };
    },
  };
}

/** The candidate at which the running sum of weights passes `point`. */
function draw({ ids, weights }: SamplingWorkspace, count: number, point: number): number {
  let sum = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const weight = weights[i] ?? 0;
    if (weight === 0) continue;
    sum += weight;
    last = ids[i] ?? 0;
    if (point < sum) break;
  }
  // Rounding can leave `point` at the very total; the last token with any weight takes it.
  return last;
}

function logProbability(logits: Float32Array, tokenId: number): number {
  const { score } = bestToken(logits);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] ?? 0) - score);
  return (logits[tokenId] ?? -Infinity) - score - Math.log(sum);
}
