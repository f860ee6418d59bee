// The options of AutoModel.fromPretrained: AirLLM's names in camelCase, and this port's own. Owns names, defaults and
// validation. None is ignored: what is not implemented yet is refused by name.

import { PRECISIONS, type Precision } from '@airllm/backend';
import type { OpenCheckpointOptions } from '@airllm/checkpoint';
import type { OnShardProgress, ShardFormat } from '@airllm/sharder';
import { z } from 'zod';
import { CoreError } from '../errors.js';
import type { DtypeOption } from './check-dtype.js';
import { closestName } from './closest-name.js';
import { parseDeviceMemory, type DeviceMemoryRequest } from './device-memory.js';
import { resolveHostBytes } from './host-memory.js';

/** `undefined` and `null` mean the default. */
export interface FromPretrainedOptions {
  memory?: {
    /** What the process stays under, everything included: `'512MB'`, bytes, `'50%'` of what is available, or `'auto'` (80%). */
    host?: string | number | null;
    /**
     * For a device with memory of its own, what is held there at most: `'1GB'`, bytes, `'50%'` of what it has for this
     * process, or `'auto'` (default: all of that).
     */
    device?: string | number | null;
  } | null;
  /**
   * `'auto'` (default): a GPU that works, else `'cpu'`, or the slow TypeScript `'reference'` where that cannot be loaded.
   * `'cuda'`: an NVIDIA GPU. `'metal'`: the GPU of a Mac. `'webgpu'`: a GPU by Vulkan, Metal or Direct3D 12.
   */
  device?: 'auto' | 'cpu' | 'reference' | 'cuda' | 'metal' | 'webgpu' | null;
  /**
   * When the device is lost in a run, or has less memory than it was counted on: `'throw'` (default) ends the run with
   * `DEVICE_LOST` or `OUT_OF_DEVICE_MEMORY`; `'fallback'` goes on from the last complete token with less of its memory, the
   * same device opened again, the next device, at last the CPU, each with a notice.
   */
  onDeviceLost?: 'throw' | 'fallback' | null;
  /** Threads that compute. Default: one per core. */
  threads?: number | null;
  /**
   * `'exact'` (default): activations stay float32 and tokens do not depend on the batch. `'fast'`: prompts and batches may
   * multiply in bfloat16, several times faster where the processor can; tokens may then depend on the batch.
   */
  precision?: Precision | null;
  /** Weights are used as stored: `'auto'` (default) or the checkpoint's own dtype. Others: not yet. */
  dtype?: DtypeOption | null;
  /** Longest sequence, prompt included. Default: what the model allows. */
  maxSeqLen?: number | null;
  /** Read the next layers while one is computed. Default true. */
  prefetching?: boolean | null;
  /**
   * Keep bfloat16 weights that stay in memory in about 0.7 of their bytes, bit for bit, so that more of them stay. Packed while
   * tokens are decoded, from the second on. Default true.
   */
  packPinned?: boolean | null;
  /** Remember in the user's cache which experts were used, and read those first next time. Default true. */
  rememberExperts?: boolean | null;
  /** Report read and compute time per layer after each run. Default false. */
  profilingMode?: boolean | null;
  /** Weights in fewer bytes: the model is sharded and quantized on first use, and reused. Default: as they are. */
  compression?: CompressionOption | null;
  /** With `compression: '4bit'`: block factors in 8 bits too. Default false. */
  doubleQuantization?: boolean | null;
  /** Folder for layer shards of any number of models. Default: the model's own, and without compression no shards. */
  layerShardsSavingPath?: string | null;
  /** Shard the model and delete its original files once their shards are verified. Default false. */
  deleteOriginal?: boolean | null;
  /** Default: `HF_TOKEN`, as `@airllm/checkpoint` resolves it. */
  hfToken?: string | null;
  /** Branch, tag or commit of a hub checkpoint. Default `main`. */
  revision?: string | null;
  /** Hub cache. Default: where the Python tools keep it. */
  cacheDir?: string | null;
  /** Use the hub cache alone. Default: as `HF_HUB_OFFLINE` says. */
  offline?: boolean | null;
  /** Hears how a download goes on. */
  onProgress?: OpenCheckpointOptions['onProgress'] | null;
  /** Hears how sharding goes on. */
  onShardProgress?: OnShardProgress | null;
  /** Gets lines for the user: a fallback that was taken, the profile of a run. Default: standard error. */
  onNotice?: ((line: string) => void) | null;
  /** Aborts the opening. */
  signal?: AbortSignal | null;
}

/** `lossless` packs bf16 bit for bit; the others lose precision. */
export type CompressionOption = Exclude<ShardFormat, 'none'>;

/** {@link FromPretrainedOptions} with nothing left open. */
export interface ResolvedOptions {
  /** For `openCheckpoint`. */
  readonly checkpoint: OpenCheckpointOptions;
  readonly hostBytes: number;
  /** Undefined: not asked for. */
  readonly deviceMemory: DeviceMemoryRequest | undefined;
  readonly device: 'auto' | 'cpu' | 'reference' | 'cuda' | 'metal' | 'webgpu';
  readonly onDeviceLost: 'throw' | 'fallback';
  readonly threads: number | undefined;
  readonly precision: Precision;
  readonly dtype: DtypeOption;
  readonly maxSeqLen: number | undefined;
  readonly prefetching: boolean;
  readonly packPinned: boolean;
  readonly rememberExperts: boolean;
  readonly profilingMode: boolean;
  readonly onNotice: (line: string) => void;
  /** Undefined: weights are read where they are. */
  readonly shards: ResolvedShardRequest | undefined;
}

/** How a model is sharded before it is run. */
export interface ResolvedShardRequest {
  readonly format: ShardFormat;
  readonly doubleQuantization: boolean;
  readonly baseFolder: string | undefined;
  readonly deleteOriginal: boolean;
  readonly threads: number | undefined;
  readonly onProgress: OnShardProgress | undefined;
  readonly signal: AbortSignal | undefined;
}

const size = z.union([z.string(), z.number()], 'a size');
const flag = z.boolean('true or false');
const text = z.string('a non-empty string').min(1, 'a non-empty string');
const count = z.int('a whole number above 0').positive('a whole number above 0');
const callback = <T>() => z.custom<T>((value) => typeof value === 'function', 'a function');
const oneOf = <const T extends readonly string[]>(names: T) => z.enum(names, `one of ${names.join(', ')}`);

const COMPRESSIONS = [
  '4bit',
  '8bit',
  'int8',
  'int4',
  'lossless',
] as const satisfies readonly CompressionOption[];

/** Messages say what is expected; `invalid` below makes sentences of them. */
const memoryShape = { host: size.nullish(), device: size.nullish() };
const shape = {
  memory: z.strictObject(memoryShape, 'an object { host, device }').nullish(),
  device: oneOf(['auto', 'cpu', 'reference', 'cuda', 'metal', 'webgpu']).nullish(),
  onDeviceLost: oneOf(['throw', 'fallback']).nullish(),
  threads: count.nullish(),
  precision: oneOf(PRECISIONS).nullish(),
  dtype: oneOf(['auto', 'float32', 'float16', 'bfloat16']).nullish(),
  maxSeqLen: count.nullish(),
  prefetching: flag.nullish(),
  packPinned: flag.nullish(),
  rememberExperts: flag.nullish(),
  profilingMode: flag.nullish(),
  compression: oneOf(COMPRESSIONS).nullish(),
  doubleQuantization: flag.nullish(),
  layerShardsSavingPath: text.nullish(),
  deleteOriginal: flag.nullish(),
  hfToken: text.nullish(),
  revision: text.nullish(),
  cacheDir: text.nullish(),
  offline: flag.nullish(),
  onProgress: callback<NonNullable<OpenCheckpointOptions['onProgress']>>().nullish(),
  onShardProgress: callback<OnShardProgress>().nullish(),
  onNotice: callback<(line: string) => void>().nullish(),
  signal: z.instanceof(AbortSignal, { error: 'an AbortSignal' }).nullish(),
} satisfies Record<keyof FromPretrainedOptions, z.ZodType>;
const schema = z.strictObject(shape, 'an object of options');

/**
 * Applies defaults and checks everything.
 *
 * @throws {@link CoreError} `INVALID_OPTION` (fields `option`, `expected`, `found`), `NOT_YET` (field `option`)
 * @example
 * resolveOptions({ memory: { host: '512MB' } }).hostBytes; // 512000000
 */
export function resolveOptions(options: FromPretrainedOptions = {}): ResolvedOptions {
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw invalid(parsed.error, options);
  const given = parsed.data;
  const { hfToken, revision, cacheDir, offline, onProgress, signal } = given;
  return {
    device: given.device ?? 'auto',
    checkpoint: {
      ...(hfToken == null ? {} : { hfToken }),
      ...(revision == null ? {} : { revision }),
      ...(cacheDir == null ? {} : { cacheDir }),
      ...(offline == null ? {} : { offline }),
      ...(onProgress == null ? {} : { onProgress }),
      ...(signal == null ? {} : { signal }),
    },
    hostBytes: resolveHostBytes(given.memory?.host ?? undefined),
    deviceMemory: given.memory?.device == null ? undefined : parseDeviceMemory(given.memory.device),
    onDeviceLost: given.onDeviceLost ?? 'throw',
    threads: given.threads ?? undefined,
    precision: given.precision ?? 'exact',
    dtype: given.dtype ?? 'auto',
    maxSeqLen: given.maxSeqLen ?? undefined,
    prefetching: given.prefetching ?? true,
    packPinned: given.packPinned ?? true,
    rememberExperts: given.rememberExperts ?? true,
    profilingMode: given.profilingMode ?? false,
    onNotice: given.onNotice ?? ((line) => void process.stderr.write(`${line}\n`)),
    shards: resolveShards(given),
  };
}

function resolveShards(given: z.infer<typeof schema>): ResolvedShardRequest | undefined {
  const { compression, layerShardsSavingPath, deleteOriginal, doubleQuantization } = given;
  if (doubleQuantization === true && compression !== '4bit') {
    throw new CoreError(
      'INVALID_OPTION',
      `Expected compression: '4bit' for doubleQuantization but received ${JSON.stringify(compression ?? null)}.`,
      { fields: { option: 'doubleQuantization', expected: false, found: true } },
    );
  }
  if (compression == null && layerShardsSavingPath == null && deleteOriginal !== true) return undefined;
  return {
    format: compression ?? 'none',
    doubleQuantization: doubleQuantization ?? false,
    baseFolder: layerShardsSavingPath ?? undefined,
    deleteOriginal: deleteOriginal ?? false,
    threads: given.threads ?? undefined,
    onProgress: given.onShardProgress ?? undefined,
    signal: given.signal ?? undefined,
  };
}

function invalid(error: z.ZodError, options: unknown): CoreError {
  const [issue] = error.issues;
  const path = issue?.path.map(String) ?? [];
  if (issue?.code === 'unrecognized_keys') {
    const found = issue.keys[0] ?? '';
    const names = Object.keys(path[0] === 'memory' ? memoryShape : shape);
    const option = [...path, found].join('.');
    const nearest = closestName(found, names);
    const hint =
      nearest === undefined
        ? `Known are ${names.join(', ')}.`
        : `Did you mean ${[...path, nearest].join('.')}?`;
    return new CoreError('INVALID_OPTION', `Unknown option ${option}. ${hint}`, {
      fields: { option, expected: nearest ?? names, found },
    });
  }
  const found = path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], options);
  const expected = issue?.message ?? 'valid options';
  const option = path.join('.') || 'options';
  const shown = typeof found === 'string' ? JSON.stringify(found) : String(found);
  return new CoreError('INVALID_OPTION', `Expected ${expected} for ${option} but received ${shown}.`, {
    fields: { option, expected, found },
  });
}
