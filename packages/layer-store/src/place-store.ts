// A budget over a whole store: what always stays, then tiles.

import { LayerStoreError } from './errors.js';
import { loadingBytesOf, placeTiles, type Placement, type WeightBudget } from './placement.js';
import type { StoreLayout } from './store-layout.js';

export interface StorePlacement extends Placement {
  /** What is read once and stays has a copy on the device, where ops read it. */
  readonly residentsOnDevice: boolean;
}

/**
 * Places what a store holds within a budget. Of the device's memory residents come first: every op of a layer wants some.
 *
 * @throws LayerStoreError `BUDGET_TOO_SMALL` (field `minimumBytes`, of host memory)
 */
export function placeStore(
  layout: StoreLayout,
  { hostBytes, deviceBytes = 0 }: WeightBudget,
): StorePlacement {
  const { fixedBytes, denseTiles, expertTiles, residents } = layout;
  const minimumBytes = minimumStoreBytes(layout, { onDevice: deviceBytes > 0 });
  if (hostBytes < minimumBytes) {
    throw new LayerStoreError(
      'BUDGET_TOO_SMALL',
      `Expected a weight budget of at least ${minimumBytes} bytes but received ${Math.floor(hostBytes)}`,
      { fields: { minimumBytes, budgetBytes: hostBytes } },
    );
  }
  const residentsOnDevice = residents.byteLength > 0 && residents.byteLength <= deviceBytes;
  const placement = placeTiles(denseTiles, [...expertTiles.values()], {
    hostBytes: hostBytes - fixedBytes,
    deviceBytes: deviceBytes - (residentsOnDevice ? residents.byteLength : 0),
  });
  return { ...placement, residentsOnDevice };
}

/** The smallest budget of host memory that works, whatever the device's. */
export function minimumStoreBytes(layout: StoreLayout, { onDevice }: { onDevice: boolean }): number {
  return layout.minimumBytes + (onDevice ? loadingBytesOf(layout.denseTiles) : 0);
}
