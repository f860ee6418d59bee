// Packed weights that are cut: rows travel with their factors, and sums over blocks of k go on where they stopped.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate, openModel, readCase } from '../../test/cases.js';
import { shuffleGroups } from '../../test/shuffle-groups.js';

/** About a third of the largest matrices of these cases. */
const TILE_BYTES = 1500;

describe.each(['llama-nf4', 'llama-fp4', 'llama-gptq', 'llama-awq', 'gpt-oss-mxfp4', 'llama-fp8'])(
  '%s',
  (name) => {
    it('has the same tokens whatever the tiles', async () => {
      const golden = await readCase(name);
      await using opened = await openModel(golden, { share: 0, tileBytes: TILE_BYTES });
      const { parts } = opened.layout;
      const cut = [...parts].filter(([, blocks]) => blocks.length > 1).map(([weight]) => weight);
      expect(cut).toContainEqual(
        expect.stringContaining(name.startsWith('gpt-oss') ? 'gate_up_proj[' : 'down_proj'),
      );
      const prompts = golden.prompts.map(({ input_ids }) => input_ids);
      expect(await generate(opened.model, prompts)).toEqual(golden.prompts.map(({ greedy }) => greedy));
    });

    it('keeps nothing large in memory beside the tiles', async () => {
      const { layout, [Symbol.asyncDispose]: dispose } = await openModel(await readCase(name));
      // Norms, code books, states and group numbers.
      expect(layout.residents.byteLength).toBeLessThan(10 * 4096);
      const packed = [...layout.parts.values()].flat().filter(({ weight }) => weight.packing);
      if (name !== 'llama-fp8') expect(packed.length).toBeGreaterThan(0);
      await dispose();
    });
  },
);

describe('GPTQ with rows of any group (desc_act)', () => {
  it('has the same tokens', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'gptq-'));
    try {
      const folder = join(temporary, 'shuffled');
      const golden = await readCase('llama-gptq', {
        quantization_config: { quant_method: 'gptq', bits: 4, desc_act: true },
      });
      await shuffleGroups(golden.folder, folder);
      await using opened = await openModel(golden, { share: 0, tileBytes: TILE_BYTES, folder });
      const prompts = golden.prompts.map(({ input_ids }) => input_ids);
      expect(await generate(opened.model, prompts)).toEqual(golden.prompts.map(({ greedy }) => greedy));
    } finally {
      await rm(temporary, { recursive: true });
    }
  });

  it('is refused where the config does not tell', async () => {
    const temporary = await mkdtemp(join(tmpdir(), 'gptq-'));
    try {
      const folder = join(temporary, 'shuffled');
      const golden = await readCase('llama-gptq');
      await shuffleGroups(golden.folder, folder);
      await expect(openModel(golden, { folder })).rejects.toThrow('config.json names no act-order');
    } finally {
      await rm(temporary, { recursive: true });
    }
  });
});
