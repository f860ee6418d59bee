// What is said where the device that is asked for is not there.

import { selectBackend } from './select-backend.js';

const quiet = { precision: 'exact', onNotice: () => undefined } as const;

describe('selectBackend', () => {
  it('names the driver that cuda lacks, and does not fall back', async () => {
    process.env['AIRLLM_CUDA_LIBRARY'] = '/nowhere/libcuda.so.1';
    try {
      await expect(selectBackend({ ...quiet, device: 'cuda' })).rejects.toMatchObject({
        code: 'BACKEND_UNAVAILABLE',
        message: expect.stringMatching(/libcuda\.so\.1.*install the NVIDIA driver|the native addon "cuda"/),
      });
    } finally {
      delete process.env['AIRLLM_CUDA_LIBRARY'];
    }
  });
});
