// `airllm plan`: where the memory would go, what each token would read, and how long that takes on this machine.

import { AutoModel, type ModelPlan, type ModelPrediction } from '@airllm/core';
import pc from 'picocolors';
import prettyBytes from 'pretty-bytes';
import { createTable } from '../table.js';
import { toModelOptions, type ModelFlags } from '../model-options.js';

const BAR_WIDTH = 24;

export async function printPlan(id: string, flags: ModelFlags & { json?: boolean }): Promise<void> {
  const { plan, ...prediction } = await AutoModel.predict(id, toModelOptions(flags));
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...plan, ...prediction }, null, 2)}\n`
      : `${formatPlan(plan)}${formatPrediction({ plan, ...prediction })}\n`,
  );
}

export function formatPrediction(prediction: ModelPrediction): string {
  const { plan, secondsPerToken, diskBytesPerSecond, memoryBytesPerSecond, bufferedReason } = prediction;
  if (secondsPerToken === undefined) return 'No prediction: this backend is not measured.';
  const speeds = [
    ...(diskBytesPerSecond === undefined ? [] : [`disk ${prettyBytes(diskBytesPerSecond)}/s`]),
    ...(memoryBytesPerSecond === undefined ? [] : [`memory ${prettyBytes(memoryBytesPerSecond)}/s`]),
  ];
  const experts =
    plan.expectedExpertBytesPerPass > 0
      ? `, with ${prettyBytes(plan.expectedExpertBytesPerPass)} of experts read per token`
      : '';
  const { packedStreamedBytesPerPass } = prediction;
  const packed =
    packedStreamedBytesPerPass < plan.streamedBytesPerPass
      ? `, ${prettyBytes(packedStreamedBytesPerPass)} read once pinned weights are packed (after some tokens)`
      : '';
  const caveat = bufferedReason === undefined ? '' : ` (through the page cache: ${bufferedReason})`;
  return `About ${pc.bold(`${secondsPerToken.toPrecision(2)} s per token`)}${packed}${experts}; measured now: ${speeds.join(', ')}${caveat}`;
}

export function formatPlan(plan: ModelPlan): string {
  const layers = createTable(['', 'weights', 'in memory', 'read per token', '']);
  for (const layer of plan.layers) {
    const experts =
      layer.expertBytes > 0 ? ` + experts routed to (of ${prettyBytes(layer.expertBytes)})` : '';
    layers.push([
      layer.name,
      prettyBytes(layer.bytes),
      prettyBytes(layer.pinnedBytes),
      prettyBytes(layer.streamedBytes) + experts,
      bar(layer.pinnedBytes, layer.bytes),
    ]);
  }
  const memory = createTable(['memory', 'bytes', '']);
  const spent: [string, number][] = [
    ['process and room to grow', plan.processBytes],
    ['pinned weights', plan.pinnedBytes],
    ['streaming buffers', plan.ringBytes],
    ['expert cache', plan.expertCacheBytes],
    ['norms, biases, embedding rows', plan.fixedBytes],
    [`KV cache for ${plan.plannedTokens} tokens`, plan.kvBytes],
    ['activations', plan.activationBytes],
    ['logits', plan.logitsBytes],
  ];
  for (const [name, bytes] of spent) memory.push([name, prettyBytes(bytes), bar(bytes, plan.hostBytes)]);
  return [
    `${pc.bold(plan.family)} · ${prettyBytes(plan.weightBytes)} of weights · budget ${prettyBytes(plan.hostBytes)} · smallest that works ${prettyBytes(plan.minimumHostBytes)}`,
    layers.toString(),
    memory.toString(),
    `${prettyBytes(plan.streamedBytesPerPass)} read per token once the pinned weights are loaded; context ${plan.maxSequenceTokens} tokens`,
    '',
  ].join('\n');
}

function bar(part: number, whole: number): string {
  const filled = whole > 0 ? Math.round((Math.min(part, whole) / whole) * BAR_WIDTH) : 0;
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
}
