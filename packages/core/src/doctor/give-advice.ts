// From facts to what a user can do: one sentence for each thing that is missing.

import type { Diagnosis } from './diagnosis.js';

export function giveAdvice(found: Omit<Diagnosis, 'advice'>): string[] {
  const { devices, drivers, disk, system, memory } = found;
  const isLinux = system.platform.startsWith('linux');
  const cpu = devices.find(({ device }) => device === 'cpu');
  const webgpu = devices.find(({ device }) => device === 'webgpu');
  // A GPU that works by CUDA needs no Vulkan.
  const lacksVulkan =
    isLinux &&
    webgpu?.works === false &&
    drivers.gpuNodes.length > 0 &&
    !devices.some(({ device, works }) => device === 'cuda' && works);
  return [
    ...(cpu && !cpu.works
      ? [
          `The native CPU backend does not load, and the TypeScript one is hundreds of times slower: ${cpu.reason}`,
        ]
      : []),
    ...(lacksVulkan && drivers.vulkanLoader === undefined
      ? [
          "A GPU is here but Vulkan's loader is not: install libvulkan1 (Debian, Ubuntu) or vulkan-loader (Fedora, Arch).",
        ]
      : []),
    ...(lacksVulkan && drivers.vulkanManifests.length === 0
      ? [
          'A GPU is here but no Vulkan driver: install mesa-vulkan-drivers (AMD, Intel), or the driver of NVIDIA.',
        ]
      : []),
    ...(isLinux && drivers.nvidia !== undefined && !drivers.gpuNodes.some((node) => node.includes('nvidia'))
      ? ['The NVIDIA driver is loaded but this process sees no GPU of it: run the container with --gpus all.']
      : []),
    ...(memory.limitBytes !== undefined && memory.limitBytes < memory.totalBytes / 2
      ? [
          'This process may have less than half of the memory that the machine has: a container or cgroup limits it.',
        ]
      : []),
    ...(disk.note?.startsWith('through the page cache')
      ? [`Reads are not direct (${disk.note}): memory.host cannot bound what the page cache takes.`]
      : []),
  ];
}
