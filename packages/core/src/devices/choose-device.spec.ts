// What `auto` makes of answers, and where it does not even ask.

import { devicesHere, judge } from './choose-device.js';
import { noGpuReason } from './gpu-hints.js';

it('takes a device that works', () => {
  const answer = { works: true, name: 'Some GPU', isSoftware: false } as const;
  expect(judge('webgpu', answer)).toEqual({ device: 'webgpu', answer, passedOver: undefined });
});

it('passes over a software GPU and one that does not work, and says why', () => {
  const software = judge('webgpu', { works: true, name: 'llvmpipe', isSoftware: true });
  expect(software.passedOver).toMatch(/^llvmpipe is a software GPU.*device: 'webgpu' uses it/);
  expect(judge('webgpu', { works: false, reason: 'no driver' }).passedOver).toBe('no driver');
});

it('asks only for devices of this platform', () => {
  expect(devicesHere('aix')).toEqual([]);
  expect(devicesHere('darwin')).toEqual(['metal', 'webgpu']);
});

it('prefers the driver that is made for the GPU', () => {
  expect(devicesHere('linux')).toEqual(['cuda', 'webgpu']);
});

describe('noGpuReason', () => {
  const linux = { platform: 'linux', env: {}, exists: () => false } as const;
  it.each([
    ['a render node', { ...linux, exists: (path: string) => path === '/dev/dri' }],
    ['a named Vulkan driver', { ...linux, env: { VK_DRIVER_FILES: '/x.json' } }],
    ['macOS', { ...linux, platform: 'darwin' }],
  ] as const)('has none with %s', (_, host) => {
    expect(noGpuReason(host)).toBeUndefined();
  });

  it('is that /dev shows none', () => {
    expect(noGpuReason(linux)).toMatch(/shows no GPU.*\/dev\/dri/);
    expect(noGpuReason({ ...linux, env: { VK_DRIVER_FILES: '' } })).toBeDefined();
  });
});
