// The first engine of a model, with the way to the next ones.

import { EngineKeeper } from './engine-keeper.js';
import { fallbackDevices } from './fallback-devices.js';
import { FallbackSteps } from './fallback-steps.js';
import { openEngine } from './open-engine.js';
import type { EngineSource } from './plan-engine.js';

/**
 * @param devices to fall back to, in order. Default: what this machine has
 * @throws as `openEngine`
 */
export async function openEngines(source: EngineSource, devices = fallbackDevices()): Promise<EngineKeeper> {
  const { device, deviceMemory, onNotice } = source.options;
  const first = await openEngine(source, { device, deviceMemory });
  const leastProcessBytes = first.plan.processBytes;
  return new EngineKeeper(
    first,
    { device, deviceMemory },
    {
      open: (choice) => openEngine(source, { ...choice, leastProcessBytes }),
      steps: new FallbackSteps(deviceMemory, devices),
      onNotice,
    },
  );
}
