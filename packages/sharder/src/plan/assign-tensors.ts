// Which layer each stored tensor belongs to: those that a layer names, and the companions (scales, zeros, packed parts)
// that quantized checkpoints keep beside them. What no layer names is left over.

import type { StoredTensor } from '@airllm/checkpoint';
import type { WeightGroups, WeightUse } from './weight-groups.js';

export type TensorRole = 'embedding' | 'layer' | 'head' | 'rest';

export interface AssignedTensor {
  readonly stored: StoredTensor;
  readonly role: TensorRole;
  /** Index of the stage, -1 for the embedding; undefined for what no layer names. */
  readonly stage: number | undefined;
  /** Number of the routed expert; `shared` for a tensor that holds several of them. */
  readonly expert: number | 'shared' | undefined;
  /** Every use of it is as a matrix that may be packed. False for companions, vectors and what is not used. */
  readonly isMatrix: boolean;
}

interface Claim {
  readonly order: number;
  readonly role: TensorRole;
  readonly stage: number;
  expert: number | 'shared' | undefined;
  isMatrix: boolean;
}

/** Every tensor once, in the order the model needs them, companions right after what they belong to; the rest last. */
export function assignTensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  groups: WeightGroups,
): AssignedTensor[] {
  const claims = collectClaims(groups);
  const modules = new Map([...claims].map(([name, claim]) => [parentOf(name), claim]));
  modules.delete('');
  const assigned = [...tensors.values()].map((stored) => {
    const own = claims.get(stored.name);
    const claim = own ?? claimOfCompanion(stored.name, claims) ?? modules.get(parentOf(stored.name));
    return { order: claim?.order ?? Infinity, tensor: describe(stored, claim, own !== undefined) };
  });
  const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  return assigned
    .sort((a, b) =>
      a.order === b.order ? compare(a.tensor.stored.name, b.tensor.stored.name) : a.order - b.order,
    )
    .map(({ tensor }) => tensor);
}

function describe(stored: StoredTensor, claim: Claim | undefined, isOwn: boolean): AssignedTensor {
  if (!claim) return { stored, role: 'rest', stage: undefined, expert: undefined, isMatrix: false };
  const { role, stage, expert, isMatrix } = claim;
  return { stored, role, stage, expert, isMatrix: isOwn && isMatrix };
}

function collectClaims({ embedding, stages, unpackable }: WeightGroups): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  const add = (use: WeightUse, place: Pick<Claim, 'role' | 'stage' | 'expert'>): void => {
    const name = use.source?.tensor ?? use.name;
    const isMatrix = use.shape.length === 2 && unpackable?.has(use.name) !== true;
    const known = claims.get(name);
    if (!known) {
      claims.set(name, { order: claims.size, isMatrix, ...place });
      return;
    }
    known.isMatrix &&= isMatrix;
    if (known.stage === place.stage && known.expert !== place.expert) known.expert = 'shared';
  };
  add(embedding, { role: 'embedding', stage: -1, expert: undefined });
  stages.forEach(({ weights, experts = [] }, stage) => {
    const role = stage === stages.length - 1 ? 'head' : 'layer';
    for (const use of weights) add(use, { role, stage, expert: undefined });
    experts.forEach((uses, expert) => {
      for (const use of uses) add(use, { role, stage, expert });
    });
  });
  return claims;
}

/** `x.weight_scale_inv`, `x.weight.absmax`, `x.blocks_scales` … of a tensor that is named: the longest such name. */
function claimOfCompanion(name: string, claims: ReadonlyMap<string, Claim>): Claim | undefined {
  for (let end = name.length - 1; end > 0; end--) {
    const mark = name[end];
    if (mark !== '.' && mark !== '_') continue;
    const claim = claims.get(name.slice(0, end));
    if (claim) return claim;
  }
  return undefined;
}

/** The module of a tensor: `a.b.q_proj` of `a.b.q_proj.qweight`. */
function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}
