// The files of a set of shards: which tensors lie together, in what order, under what name.

import type { AssignedTensor } from './assign-tensors.js';
import type { ShardLayout } from './shard-options.js';

export interface TensorGroup {
  /** Of the file, with `.safetensors`. */
  readonly fileName: string;
  readonly tensors: readonly AssignedTensor[];
}

/** Experts of a layer share files of about this size, so that a large mixture is hundreds of files and not ten thousands. */
const EXPERT_FILE_BYTES = 2 ** 30;

/**
 * Groups tensors in the order they were assigned. In the native layout: `embedding`, `layer-00`, `layer-00-experts-000`
 * (an expert's tensors side by side), `head`, `rest`. In AirLLM's: the modules' own names.
 */
export function groupIntoFiles(tensors: readonly AssignedTensor[], layout: ShardLayout): TensorGroup[] {
  const layers = 1 + Math.max(0, ...tensors.filter(isLayer).map(({ stage = 0 }) => stage));
  const nameOf = layout === 'airllm' ? airllmNames(tensors) : nativeNames(tensors, String(layers - 1).length);
  const groups = new Map<string, AssignedTensor[]>();
  for (const tensor of tensors) {
    const name = nameOf(tensor);
    const group = groups.get(name);
    if (group) group.push(tensor);
    else groups.set(name, [tensor]);
  }
  return Array.from(groups, ([name, members]) => ({
    fileName: `${name}.safetensors`,
    tensors: [...members].sort((a, b) => expertOrder(a) - expertOrder(b)),
  }));
}

type NameOf = (tensor: AssignedTensor) => string;

function nativeNames(tensors: readonly AssignedTensor[], digits: number): NameOf {
  const expertsEach = expertsPerFile(tensors);
  return ({ role, stage = 0, expert }) => {
    if (role !== 'layer') return role;
    const layer = `layer-${String(stage).padStart(digits, '0')}`;
    if (expert === undefined) return layer;
    const file = expert === 'shared' ? 0 : Math.floor(expert / (expertsEach.get(stage) ?? 1));
    return `${layer}-experts-${String(file).padStart(3, '0')}`;
  };
}

/** By stage. */
function expertsPerFile(tensors: readonly AssignedTensor[]): ReadonlyMap<number, number> {
  const bytes = new Map<number, Map<number, number>>();
  for (const { stage, expert, stored } of tensors) {
    if (stage === undefined || typeof expert !== 'number') continue;
    const experts = bytes.get(stage) ?? new Map<number, number>();
    bytes.set(stage, experts.set(expert, (experts.get(expert) ?? 0) + stored.byteLength));
  }
  return new Map(
    Array.from(bytes, ([stage, experts]) => [
      stage,
      Math.max(1, Math.floor(EXPERT_FILE_BYTES / Math.max(1, ...experts.values()))),
    ]),
  );
}

/** The Python AirLLM makes a file of each module: embedding, every layer, norm, head. */
function airllmNames(tensors: readonly AssignedTensor[]): NameOf {
  const modules = new Map<number, string>();
  for (const { stored, role, stage = 0 } of tensors) {
    if (role !== 'layer') continue;
    const known = modules.get(stage);
    const module = moduleOf(stored.name);
    modules.set(stage, known === undefined ? module : commonModule(known, module));
  }
  return ({ stored, role, stage = 0 }) => {
    if (role === 'rest') return 'rest';
    return role === 'layer' ? (modules.get(stage) ?? '') : moduleOf(stored.name);
  };
}

function moduleOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('.')));
}

function commonModule(a: string, b: string): string {
  const [first, second] = [a.split('.'), b.split('.')];
  const length = first.findIndex((part, i) => part !== second[i]);
  return length < 0 ? a : first.slice(0, length).join('.');
}

function expertOrder({ expert }: AssignedTensor): number {
  return typeof expert === 'number' ? expert : -1;
}

function isLayer({ role }: AssignedTensor): boolean {
  return role === 'layer';
}
