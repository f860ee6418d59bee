// The plan: layers to files, files to tensors, tensors to bytes, from headers alone. Nothing is written.

import { isNeededFile, type Checkpoint, type StoredTensor } from '@airllm/checkpoint';
import { encodedPlanes } from '@airllm/quantizer';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { serializeHeader } from 'safetensors-js';
import { ShardError } from '../errors.js';
import { PAGE_BYTES } from '../io/aligned-pool.js';
import { hashBytes } from '../io/checksum.js';
import { assignTensors, type AssignedTensor } from './assign-tensors.js';
import { chooseFormat, isSourceDType } from './choose-format.js';
import { readModelIdentity } from './model-identity.js';
import type { PlannedFile, PlannedTensor, ShardPlan, SourceFile } from './plan-schema.js';
import { groupIntoFiles, type TensorGroup } from './shard-files.js';
import { resolveShardOptions, type ResolvedShardOptions, type ShardOptions } from './shard-options.js';
import { readSourceFile, relativeSource } from './source-files.js';
import { toSpec } from './tensor-spec.js';
import type { WeightGroups } from './weight-groups.js';

export interface PlanRequest extends ShardOptions {
  readonly checkpoint: Pick<Checkpoint, 'folder' | 'tensors' | 'readText'>;
  /** `listWeights(definition)` of @airllm/model-zoo. */
  readonly weights: WeightGroups;
  /** Folder the shards will lie in; see `resolveShardFolder`. */
  readonly shardFolder: string;
  /** Tensors that no layer uses get a file too, as deleting the originals needs. Default false. */
  readonly keepUnused?: boolean;
}

/** Of bf16, what `lossless` leaves of the weights of published models at most. */
const LOSSLESS_SHARE = 0.75;

/**
 * @throws ShardError `INVALID_OPTION`, `UNSUPPORTED_DTYPE` when a format is asked for that no tensor can take,
 *   `SOURCE_MISSING`, `READ_FAILED`
 */
export async function planShards(request: PlanRequest): Promise<ShardPlan> {
  const { checkpoint, shardFolder } = request;
  const options = resolveShardOptions(request);
  const assigned = assignTensors(checkpoint.tensors, request.weights);
  checkDTypes(assigned, options);
  const kept = assigned.filter(({ role }) => role !== 'rest' || request.keepUnused === true);
  const paths = [...new Set(kept.map(({ stored }) => stored.path))].sort();
  const sources = await Promise.all(
    paths.map((path) => readSourceFile(relativeSource(path, checkpoint.folder), checkpoint.folder)),
  );
  const indices = new Map(paths.map((path, index) => [path, index]));
  const groups = groupIntoFiles(kept, options.layout);
  // What no layer uses comes first, so that originals can be deleted while the layers are written.
  const ordered = [...groups.filter(isRest), ...groups.filter((group) => !isRest(group))];
  return {
    model: await readModelIdentity(checkpoint),
    options: { ...options, quantize: [...options.quantize] },
    sourceFolder: keptFolder(checkpoint.folder, shardFolder),
    sources,
    files: ordered.map((group) => planFile(group, { options, sources, indices })),
    smallFiles: await listSmallFiles(checkpoint.folder),
  };
}

function isRest({ fileName }: TensorGroup): boolean {
  return fileName === 'rest.safetensors';
}

interface PlanContext {
  readonly options: ResolvedShardOptions;
  readonly sources: readonly SourceFile[];
  readonly indices: ReadonlyMap<string, number>;
}

function planFile(
  { fileName, tensors }: TensorGroup,
  { options, sources, indices }: PlanContext,
): PlannedFile {
  const planned = tensors.map((tensor): PlannedTensor => {
    const { name, dtype, shape, path, byteOffset, byteLength } = tensor.stored;
    const source = indices.get(path) ?? 0;
    return {
      name,
      dtype,
      shape: [...shape],
      source,
      byteOffset,
      byteLength,
      format: chooseFormat(tensor, options),
    };
  });
  const used = [...new Set(planned.map(({ source }) => source))].map((index) => sources[index]);
  const { doubleQuantization, nonFinite } = options;
  const facts = JSON.stringify([fileName, planned, used, doubleQuantization, nonFinite]);
  return {
    name: fileName,
    tensors: planned,
    expectedBytes: expectBytes(planned, options),
    key: hashBytes(new TextEncoder().encode(facts)),
  };
}

/** Of the finished file: exact, but for `lossless`. */
function expectBytes(
  tensors: readonly PlannedTensor[],
  { doubleQuantization }: ResolvedShardOptions,
): number {
  let lossless = 0;
  const specs = tensors.flatMap((tensor) => {
    const { name, dtype, shape, format, byteLength } = tensor;
    if (format === 'none' || !isSourceDType(dtype)) return [toSpec(tensor)];
    if (format !== 'lossless')
      return encodedPlanes({ name, dtype, shape, format, doubleQuantization }).map(toSpec);
    lossless += Math.ceil(byteLength * LOSSLESS_SHARE);
    return [];
  });
  const data = specs.reduce((sum, { byteLength }) => sum + byteLength, lossless);
  return serializeHeader(specs, { alignData: PAGE_BYTES }).length + data;
}

/** Refused here, before anything is written: a format that would change nothing. */
function checkDTypes(assigned: readonly AssignedTensor[], options: ResolvedShardOptions): void {
  const { format, layout } = options;
  if (format === 'none') return;
  const used = assigned.filter(({ role }) => role !== 'rest');
  const taken = used.filter((tensor) => chooseFormat(tensor, options) !== 'none');
  const refused = used.find(({ stored }) => !isSourceDType(stored.dtype));
  const mustTakeAll = layout === 'airllm' && refused !== undefined;
  if (taken.length > 0 && !mustTakeAll) return;
  const example: StoredTensor | undefined = (refused ?? used[0])?.stored;
  throw new ShardError(
    'UNSUPPORTED_DTYPE',
    `Expected ${format === 'lossless' ? 'BF16' : 'F32, F16 or BF16'} weights for ${format} but found ` +
      `${example ? `${example.dtype} (${example.name})` : 'none'}. Weights that are quantized already are run as they are.`,
    { fields: { format, tensor: example?.name, dtype: example?.dtype } },
  );
}

/** Relative where the shards lie inside the model's folder, so that the two can be moved together. */
function keptFolder(folder: string, shardFolder: string): string {
  const inside = relative(folder, shardFolder);
  return inside.startsWith('..') || inside === '' ? folder : relative(shardFolder, folder);
}

async function listSmallFiles(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter(isNeededFile).sort();
  const regular = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).isFile()));
  return names.filter((_, i) => regular[i]);
}
