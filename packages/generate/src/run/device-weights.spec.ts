// Weights on a device with memory of its own give the tokens that weights in host memory give: all of them there, some of
// them between streamed ones, or none.

import type { Tile } from '@airllm/layer-store';
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
      const { onDevice, pinned, residentsOnDevice } = store.placement;
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
      if (layout.experts.length > 0) return;
      // What stays is read once, and the rest once a pass and perhaps once ahead of the next one.
      const bytesOf = (tiles: readonly Tile[]): number =>
        tiles.flatMap(({ reads }) => reads).reduce((sum, { byteLength }) => sum + byteLength, 0);
      const stays = ({ index }: Tile): boolean => (onDevice[index] || pinned[index]) ?? false;
      const staying = bytesOf(layout.denseTiles.filter(stays));
      const streamed = bytesOf(layout.denseTiles.filter((tile) => !stays(tile)));
      const bytesRead = store.stats.reduce((sum, stage) => sum + stage.bytesRead, 0);
      const { passes } = opened.model.counters;
      expect(bytesRead).toBeGreaterThanOrEqual(staying + passes * streamed);
      expect(bytesRead).toBeLessThanOrEqual(staying + (passes + 1) * streamed);
    },
  );
});
