// `airllm doctor`: what this machine has for running models, what would be chosen and why, and what is missing.

import { diagnose, type Diagnosis } from '@airllm/core';
import pc from 'picocolors';
import prettyBytes from 'pretty-bytes';
import { createTable } from '../table.js';

export async function printDiagnosis(flags: { json?: boolean }): Promise<void> {
  const diagnosis = await diagnose();
  process.stdout.write(
    flags.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : `${formatDiagnosis(diagnosis)}\n`,
  );
}

export function formatDiagnosis({
  system,
  memory,
  drivers,
  devices,
  chosen,
  disk,
  advice,
}: Diagnosis): string {
  const table = createTable(['device', '', 'why']);
  for (const { device, name, reason, ...state } of devices) {
    const mark = state.chosen ? pc.green('chosen') : state.works ? 'works' : 'no';
    table.push([device, mark, name === undefined ? reason : `${name}: ${reason}`]);
  }
  const limit = memory.limitBytes === undefined ? 'none' : prettyBytes(memory.limitBytes);
  return [
    `${pc.bold('system')}   ${system.os}, ${system.platform}, Node.js ${system.node}`,
    `${pc.bold('cpu')}      ${system.cores} × ${system.cpu}${system.cpuFeatures.length > 0 ? `: ${system.cpuFeatures.join(' ')}` : ''}`,
    `${pc.bold('memory')}   ${prettyBytes(memory.totalBytes)}, ${prettyBytes(memory.availableBytes)} available, limit of the container ${limit}; memory.host 'auto' takes ${prettyBytes(memory.autoBytes)}`,
    `${pc.bold('disk')}     ${formatDisk(disk)}`,
    `${pc.bold('drivers')}  ${formatDrivers(drivers)}`,
    table.toString(),
    `device 'auto' takes ${pc.bold(chosen)}`,
    ...(advice.length > 0 ? advice.map((line) => `• ${line}`) : ['Nothing is missing.']),
  ].join('\n');
}

function formatDisk({ folder, freeBytes, bytesPerSecond, note }: Diagnosis['disk']): string {
  const facts = [
    ...(bytesPerSecond === undefined ? [] : [`reads ${prettyBytes(bytesPerSecond)}/s`]),
    ...(freeBytes === undefined ? [] : [`${prettyBytes(freeBytes)} free`]),
    ...(note === undefined ? [] : [note]),
  ];
  return `${folder}: ${facts.join(', ')}`;
}

function formatDrivers({ gpuNodes, vulkanLoader, vulkanManifests, nvidia }: Diagnosis['drivers']): string {
  const facts = [
    ...(gpuNodes.length > 0 ? [gpuNodes.join(' ')] : []),
    ...(vulkanLoader === undefined ? [] : [`Vulkan loader ${vulkanLoader}`]),
    ...(vulkanManifests.length > 0 ? [`Vulkan drivers ${vulkanManifests.join(' ')}`] : []),
    ...(nvidia === undefined ? [] : [nvidia]),
  ];
  return facts.length > 0 ? facts.join(', ') : 'none found';
}
