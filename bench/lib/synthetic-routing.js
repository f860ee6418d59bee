// Routing traces of routers that do not exist: what a cache meets at the ends of what is possible, and between.

/** Seeded numbers in [0, 1) (mulberry32). */
function createRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * @param skew exponent of the popularity of a layer's experts: 0 is uniform, 1 is Zipf
 * @param drift passes after which popularity is dealt anew in each layer, as when the text changes its subject
 * @param repeat chance that a token takes an expert of the token before
 */
export function syntheticRouting({
  passes,
  layers,
  experts,
  topK,
  skew = 0,
  drift = Infinity,
  repeat = 0,
  seed = 1,
}) {
  const random = createRandom(seed);
  const deal = () => {
    const order = Array.from({ length: experts }, (_, expert) => expert);
    for (let i = experts - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  };
  const weights = Array.from({ length: experts }, (_, rank) => (rank + 1) ** -skew);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const draw = () => {
    let at = random() * total;
    const rank = weights.findIndex((weight) => (at -= weight) < 0);
    return rank < 0 ? experts - 1 : rank;
  };
  let orders = Array.from({ length: layers }, deal);
  const before = Array.from({ length: layers }, () => []);
  const trace = [];
  for (let pass = 0; pass < passes; pass++) {
    if (pass > 0 && pass % drift === 0) orders = orders.map(deal);
    for (let layer = 0; layer < layers; layer++) {
      const chosen = new Set(before[layer].filter(() => random() < repeat));
      while (chosen.size < topK) chosen.add(orders[layer][draw()]);
      before[layer] = [...chosen];
      trace.push({ pass, tiles: before[layer].map((expert) => layer * experts + expert) });
    }
  }
  return { trace, tiles: layers * experts };
}
