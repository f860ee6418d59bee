// Which implementation encodes, and how a caller learns of it.

import { jest } from '@jest/globals';
import { NativeAddonError } from '@airllm/native';
import { openKernels } from '../src/index.js';
import { native } from './every-kernels.js';

it('shares the threads of equal options', () => {
  expect(openKernels({ threads: 2 })).toBe(openKernels({ threads: 2 }));
  expect(openKernels({ threads: 1 })).not.toBe(openKernels({ threads: 2 }));
  expect(openKernels({ threads: 1, background: true })).not.toBe(openKernels({ threads: 1 }));
});

it.each([0, 1.5, 1025, NaN])('refuses %p threads', (threads) => {
  expect(() => openKernels({ threads })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', fields: { option: 'threads', value: threads } }),
  );
});

(native.length > 0 ? it : it.skip)('refuses an instruction set of another machine', () => {
  const foreign = process.arch === 'arm64' ? 'avx2' : 'neon';
  expect(() => openKernels({ instructionSet: foreign })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', fields: { option: 'instructionSet', value: foreign } }),
  );
});

it('falls back to the reference without the addon, and says so once', async () => {
  const missing = new NativeAddonError('ADDON_NOT_BUILT', 'Expected the native addon but none loads');
  jest.resetModules();
  jest.unstable_mockModule('../src/native/binding.js', () => ({
    DTYPE_NUMBERS: {},
    loadBinding: () => {
      throw missing;
    },
  }));
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const fresh = await import('../src/open-kernels.js');
  const kernels = fresh.openKernels({ threads: 1 });
  expect(kernels.description).toBe('TypeScript reference (the native addon does not load)');
  fresh.openKernels({ threads: 2 });
  expect(warn.mock.calls).toEqual([
    [expect.stringContaining(missing.message), { code: 'AIRLLM_QUANTIZER_REFERENCE' }],
  ]);
  warn.mockRestore();
  // An instruction set that was asked for by name is not replaced.
  expect(() => fresh.openKernels({ instructionSet: 'avx2' })).toThrow(missing);
});
