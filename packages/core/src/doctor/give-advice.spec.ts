// One sentence for each thing that is missing, none where nothing is.

import type { Diagnosis } from './diagnosis.js';
import { giveAdvice } from './give-advice.js';

const GIB = 2 ** 30;
const works = { works: true, name: 'x', isSoftware: false, chosen: false, reason: '' };
const fails = { ...works, works: false, name: undefined, reason: 'not built' };

const healthy: Omit<Diagnosis, 'advice'> = {
  system: { node: 'v22.0.0', platform: 'linux-x64', os: '', cpu: '', cores: 8, cpuFeatures: [] },
  memory: { totalBytes: 16 * GIB, availableBytes: 8 * GIB, limitBytes: undefined, autoBytes: 6 * GIB },
  drivers: { gpuNodes: [], vulkanManifests: [], vulkanLoader: undefined, nvidia: undefined },
  devices: [
    { device: 'webgpu', ...fails },
    { device: 'cpu', ...works, chosen: true },
  ],
  chosen: 'cpu',
  disk: { folder: '/models', freeBytes: GIB, bytesPerSecond: 1e9, note: undefined },
};
const node = '/dev/dri/renderD128';

it('has nothing to say of a machine without a GPU on which all else is there', () => {
  expect(giveAdvice(healthy)).toEqual([]);
});

it('does not ask for Vulkan where CUDA works', () => {
  const devices = [{ device: 'cuda', ...works } as const, ...healthy.devices];
  const drivers = { ...healthy.drivers, gpuNodes: ['/dev/nvidia0', node], nvidia: 'NVRM version' };
  expect(giveAdvice({ ...healthy, devices, drivers })).toEqual([]);
});

it.each<[string, Partial<Diagnosis>, RegExp[]]>([
  [
    'no native addon',
    { devices: [{ device: 'cpu', ...fails }] },
    [/native CPU backend does not load.*not built/],
  ],
  [
    'a GPU without loader and driver',
    { drivers: { ...healthy.drivers, gpuNodes: [node] } },
    [/install libvulkan1/, /install mesa-vulkan-drivers/],
  ],
  [
    'a GPU with a loader alone',
    { drivers: { ...healthy.drivers, gpuNodes: [node], vulkanLoader: '/usr/lib/libvulkan.so.1' } },
    [/install mesa-vulkan-drivers/],
  ],
  [
    'an NVIDIA driver without a GPU',
    { drivers: { ...healthy.drivers, nvidia: 'NVRM version' } },
    [/--gpus all/],
  ],
  ['a small container', { memory: { ...healthy.memory, limitBytes: 2 * GIB } }, [/container or cgroup/]],
  [
    'a disk without direct reads',
    { disk: { ...healthy.disk, note: 'through the page cache: refused' } },
    [/not direct \(through the page cache: refused\)/],
  ],
])('%s', (_, found, expected) => {
  expect(giveAdvice({ ...healthy, ...found })).toEqual(expected.map((line) => expect.stringMatching(line)));
});
