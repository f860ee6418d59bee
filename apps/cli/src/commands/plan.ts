// `airllm plan`: where the memory would go, what each token would read, and how long that takes on this machine.

import { AutoModel, type DevicePlan, type ModelPlan, type ModelPrediction } from '@airllm/core';
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
  const { plan, secondsPerToken, diskBytesPerSecond, memoryBytesPerSecond, device, bufferedReason } =
    prediction;
  if (secondsPerToken === undefined) return 'No prediction: this backend is not measured.';
  const speeds = [
    ...(diskBytesPerSecond === undefined ? [] : [`disk ${prettyBytes(diskBytesPerSecond)}/s`]),
    ...(memoryBytesPerSecond === undefined ? [] : [`memory ${prettyBytes(memoryBytesPerSecond)}/s`]),
    ...(device
      ? [
          `to the device ${prettyBytes(device.busBytesPerSecond)}/s`,
          `weights there ${prettyBytes(device.weightBytesPerSecond)}/s`,
        ]
      : []),
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
  const { device } = plan;
  const layers = createTable([
    ...['', 'weights', ...(device ? ['on the device'] : []), 'in memory', 'read per token'],
    device ? '▓ device █ memory ░ disk' : '',
  ]);
  for (const layer of plan.layers) {
    const experts =
      layer.expertBytes > 0 ? ` + experts routed to (of ${prettyBytes(layer.expertBytes)})` : '';
    layers.push([
      layer.name,
      prettyBytes(layer.bytes),
      ...(device ? [prettyBytes(layer.devicePinnedBytes)] : []),
      prettyBytes(layer.pinnedBytes),
      prettyBytes(layer.streamedBytes) + experts,
      bar(layer.pinnedBytes, layer.bytes, layer.devicePinnedBytes),
    ]);
  }
  const run: [string, number][] = [
    [`KV cache for ${plan.plannedTokens} tokens`, plan.kvBytes],
    ['activations', plan.activationBytes],
  ];
  const memory = spendings('memory', plan.hostBytes, [
    ['process and room to grow', plan.processBytes],
    ['pinned weights', plan.pinnedBytes],
    ['streaming buffers', plan.ringBytes],
    ['expert cache', plan.expertCacheBytes],
    ['norms, biases, embedding rows', plan.fixedBytes],
    ...(device ? [] : run),
    ['logits', plan.logitsBytes],
  ]);
  return [
    `${pc.bold(plan.family)} · ${prettyBytes(plan.weightBytes)} of weights · budget ${prettyBytes(plan.hostBytes)} · smallest that works ${prettyBytes(plan.minimumHostBytes)}`,
    layers.toString(),
    ...(device ? [deviceSpendings(device, run)] : []),
    memory,
    `${prettyBytes(plan.streamedBytesPerPass)} read per token once the pinned weights are loaded; context ${plan.maxSequenceTokens} tokens`,
    '',
  ].join('\n');
}

function deviceSpendings(device: DevicePlan, run: readonly [string, number][]): string {
  const table = spendings('device memory', device.limitBytes, [
    ['staging and workspace', device.ownBytes],
    ['pinned weights', device.pinnedBytes],
    ['norms, biases', device.fixedBytes],
    ...run,
  ]);
  return [
    table,
    `device budget ${prettyBytes(device.limitBytes)} · smallest that works ${prettyBytes(device.minimumBytes)} · ${prettyBytes(device.carriedBytesPerPass)} carried there per token`,
  ].join('\n');
}

function spendings(title: string, budget: number, spent: readonly [string, number][]): string {
  const table = createTable([title, 'bytes', '']);
  for (const [name, bytes] of spent) table.push([name, prettyBytes(bytes), bar(bytes, budget)]);
  return table.toString();
}

/** A bar of `first`, then `part`, of `whole`. */
function bar(part: number, whole: number, first = 0): string {
  const width = (bytes: number): number =>
    whole > 0 ? Math.round((Math.min(bytes, whole) / whole) * BAR_WIDTH) : 0;
  const [firstWidth, filled] = [width(first), width(first + part)];
  return '▓'.repeat(firstWidth) + '█'.repeat(filled - firstWidth) + '░'.repeat(BAR_WIDTH - filled);
}
