// The options that every command with a model shares.

import type { FromPretrainedOptions } from '@airllm/core';
import { InvalidArgumentError, type Command } from 'commander';

export interface ModelFlags {
  memory?: string;
  deviceMemory?: string;
  device?: string;
  onDeviceLost?: string;
  threads?: number;
  precision?: string;
  maxSeqLen?: number;
  prefetch: boolean;
  packPinned: boolean;
  profile?: boolean;
  offline?: boolean;
  revision?: string;
  compression?: string;
  doubleQuantization?: boolean;
  shards?: string;
}

export function addModelOptions(command: Command): Command {
  return command
    .option(
      '-m, --memory <size>',
      'memory the process stays under, such as 512MB or 4GiB (default: 80% of what is free)',
    )
    .option(
      '--device-memory <size>',
      'memory held on a device that has its own, such as 8GB or 50% (default: what it has)',
    )
    .option('--device <name>', 'auto, cpu, cuda, metal, webgpu or reference')
    .option(
      '--on-device-lost <what>',
      'throw, or fallback: go on with less device memory, another device or the CPU (default: throw)',
    )
    .option('--threads <count>', 'compute threads (default: one per core)', positiveInteger)
    .option('--precision <name>', 'exact, or fast: multiply prompts and batches in bfloat16 (default: exact)')
    .option('--max-seq-len <tokens>', 'longest sequence, prompt included', positiveInteger)
    .option('--no-prefetch', 'read a tile only when it is needed')
    .option('--no-pack-pinned', 'keep what stays in memory as it is stored, not packed bit for bit')
    .option('--profile', 'print times per layer after the run')
    .option('-c, --compression <format>', '4bit, 8bit, int8, int4 or lossless; shards the model on first use')
    .option('--double-quantization', '4bit with block factors in 8 bits')
    .option('--shards <dir>', "folder for the shards (default: the model's own)")
    .option('--offline', 'use only what is in the hub cache')
    .option('--revision <name>', 'branch, tag or commit on the hub');
}

export function toModelOptions(flags: ModelFlags): FromPretrainedOptions {
  const memory = {
    ...(flags.memory !== undefined && { host: flags.memory }),
    ...(flags.deviceMemory !== undefined && { device: flags.deviceMemory }),
  };
  return {
    memory,
    // Checked by core, which names what it accepts.
    ...(flags.device !== undefined && {
      device: flags.device as NonNullable<FromPretrainedOptions['device']>,
    }),
    ...(flags.onDeviceLost !== undefined && {
      onDeviceLost: flags.onDeviceLost as NonNullable<FromPretrainedOptions['onDeviceLost']>,
    }),
    ...(flags.threads !== undefined && { threads: flags.threads }),
    ...(flags.precision !== undefined && {
      precision: flags.precision as NonNullable<FromPretrainedOptions['precision']>,
    }),
    ...(flags.maxSeqLen !== undefined && { maxSeqLen: flags.maxSeqLen }),
    ...(flags.revision !== undefined && { revision: flags.revision }),
    ...(flags.compression !== undefined && {
      compression: flags.compression as NonNullable<FromPretrainedOptions['compression']>,
    }),
    ...(flags.doubleQuantization && { doubleQuantization: true }),
    ...(flags.shards !== undefined && { layerShardsSavingPath: flags.shards }),
    ...(flags.offline && { offline: true }),
    prefetching: flags.prefetch,
    packPinned: flags.packPinned,
    profilingMode: flags.profile ?? false,
  };
}

export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return number;
}

export function finiteNumber(value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) throw new InvalidArgumentError('Expected a number.');
  return number;
}
