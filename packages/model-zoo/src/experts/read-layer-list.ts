// Lists of layer numbers in configs.

import type { ConfigReader } from '../config/config-reader.js';

/** The layers that `field` lists, or undefined when it is absent. Throws unless all are below `layers`. */
export function readLayerList(
  config: ConfigReader,
  field: string,
  layers: number,
): ReadonlySet<number> | undefined {
  if (!config.has(field)) return undefined;
  const value = config.fields[field];
  const isLayer = (item: unknown): item is number =>
    Number.isInteger(item) && (item as number) >= 0 && (item as number) < layers;
  if (Array.isArray(value) && value.length <= layers && value.every(isLayer)) return new Set(value);
  throw config.invalid(field, `a list of layer numbers below ${layers}`);
}
