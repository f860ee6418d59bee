// What is known of experts from earlier runs, in terms that outlive a budget: tiles change with it, layers and experts do not.

import type { ExpertPlace } from './store-layout.js';

/** How much an expert was used, as {@link LayerStore.expertUses} counts. */
export interface ExpertUse {
  /** Index of the layer. */
  readonly stage: number;
  readonly expert: number;
  /** Uses, of which one counts half after some passes; above 0. */
  readonly uses: number;
}

/** Fewer are not worth remembering: the last of several uses is long ago. */
const FEWEST_USES = 1 / 64;

/** Experts that were used, the most used first. */
export function listExpertUses(
  experts: readonly ExpertPlace[],
  usesOfTile: (tile: number) => number,
): ExpertUse[] {
  return experts
    .map(({ stage, expert, tiles }) => ({ stage, expert, uses: Math.max(0, ...tiles.map(usesOfTile)) }))
    .filter(({ uses }) => uses >= FEWEST_USES)
    .sort((a, b) => b.uses - a.uses);
}

/** Tiles of the experts that were used, the most used first; experts that this model does not have are passed over. */
export function tilesOfUses(
  experts: readonly ExpertPlace[],
  used: readonly ExpertUse[],
): { tile: number; uses: number }[] {
  const places = new Map(experts.map((place) => [`${place.stage} ${place.expert}`, place]));
  return [...used]
    .sort((a, b) => b.uses - a.uses)
    .flatMap(({ stage, expert, uses }) =>
      (places.get(`${stage} ${expert}`)?.tiles ?? []).map((tile) => ({ tile, uses })),
    );
}
