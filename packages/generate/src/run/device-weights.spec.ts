// Weights on a device with memory of its own give the tokens that weights in host memory give: all of them there, some of
// them between streamed ones, or none.

import { generate, openModel, readCase } from '../../test/cases.js';

/** Whose ops differ most: plain, capped scores, latent attention, packed experts, recurrent states. */
const FAMILIES = ['llama3-gqa', 'gemma2', 'deepseek-v2', 'gpt-oss-mxfp4', 'qwen3-next'];

describe.each(FAMILIES)('%s', (name) => {
  it.each([1, 0.6, 0])(
    'continues prompts as the reference does: %d of the weights fit on the device, few in host memory',
    async (deviceShare) => {
      const golden = await readCase(name);
      await using opened = await openModel(golden, { share: 0, deviceShare });
      const { store, layout, held } = opened;
      const { onDevice, residentsOnDevice } = store.placement;
      expect(new Set(onDevice)).toEqual(new Set(deviceShare === 0.6 ? [true, false] : [deviceShare === 1]));
      expect(residentsOnDevice).toBe(deviceShare > 0);
      const [first, ...others] = golden.prompts;
      if (!first) throw new Error('Expected a prompt');
      expect(await generate(opened.model, [first.input_ids])).toEqual([first.greedy]);
      const batch = [first, ...others];
      const ids = await generate(
        opened.model,
        batch.map(({ input_ids }) => input_ids),
      );
      expect(ids).toEqual(batch.map(({ greedy }) => greedy));
      expect(held.peakDeviceBytes).toBeLessThanOrEqual(deviceShare * opened.everythingBytes);
      // What lives on the device is read once.
      const stored = layout.denseTiles.flatMap((tile) => (onDevice[tile.index] ? tile.reads : []));
      const onceBytes = stored.reduce((sum, { byteLength }) => sum + byteLength, 0);
      if (deviceShare === 1 && layout.experts.length === 0)
        expect(store.stats.reduce((sum, { bytesRead }) => sum + bytesRead, 0)).toBe(onceBytes);
    },
  );
});
