// Policies for a cache of expert tiles, for comparison. Each hears of every use of a tile and of what leaves, and names who
// leaves next. A trace is a list of layers, [{ pass, tiles }], in the order they are computed; tiles are equal in size.

/** Tiles missed by `policy` in a cache of `slots`, after the first `warmup` layers. Tiles of one layer are not dropped for each other. */
export function countMisses(trace, slots, policy, warmup = 0) {
  const cached = new Set();
  let misses = 0;
  trace.forEach(({ pass, tiles }, at) => {
    const routed = new Set(tiles);
    for (const tile of tiles) {
      if (cached.has(tile)) {
        policy.use(tile, { pass, at, hit: true });
        continue;
      }
      if (at >= warmup) misses += 1;
      if (cached.size >= slots) {
        const dropped = policy.victim(
          [...cached].filter((candidate) => !routed.has(candidate)),
          tile,
          at,
        );
        cached.delete(dropped);
        policy.dropped?.(dropped);
      }
      cached.add(tile);
      policy.use(tile, { pass, at, hit: false });
    }
  });
  return misses;
}

const lowest = (candidates, scoreOf) =>
  candidates.reduce((best, tile) => (scoreOf(tile) < scoreOf(best) ? tile : best));

/** Least recently used. */
export function lru() {
  const last = new Map();
  let clock = 0;
  return {
    use: (tile) => last.set(tile, (clock += 1)),
    victim: (candidates) => lowest(candidates, (tile) => last.get(tile)),
  };
}

/** The one whose last use but one is longest ago (O'Neil and others, SIGMOD 1993); uses outlive the stay in the cache. */
export function lru2() {
  const uses = new Map();
  let clock = 0;
  return {
    use: (tile) => uses.set(tile, [uses.get(tile)?.[1] ?? -Infinity, (clock += 1)]),
    victim: (candidates) => {
      const [first] = candidates;
      return candidates.reduce((best, tile) => {
        const [a, b] = [uses.get(tile), uses.get(best)];
        return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]) ? tile : best;
      }, first);
    },
  };
}

/**
 * Fewest uses, where a use counts half after `halfLife` passes (LRFU: Lee and others, IEEE Trans. Computers 50, 2001); counts
 * outlive the stay in the cache. Infinity is LFU. Ties go to the least recently used.
 */
export function agedFrequency(halfLife) {
  const counts = new Map();
  const last = new Map();
  let now = 0;
  const decay = (passes) => (passes === 0 ? 1 : 2 ** (-passes / halfLife));
  const scoreOf = (tile) => counts.get(tile) * decay(now - last.get(tile).pass);
  return {
    usesOf: scoreOf,
    use: (tile, { pass, at }) => {
      now = pass;
      const known = last.get(tile);
      counts.set(tile, known ? counts.get(tile) * decay(pass - known.pass) + 1 : 1);
      last.set(tile, { pass, at });
    },
    victim: (candidates) =>
      candidates.reduce((best, tile) => {
        const [a, b] = [scoreOf(tile), scoreOf(best)];
        return a < b || (a === b && last.get(tile).at < last.get(best).at) ? tile : best;
      }),
  };
}

/** Tiles that may pass at once in {@link admitted}. */
const MOST_PASSING = 12;

/**
 * {@link agedFrequency} with admission: a missed tile stays only where it has `margin` more uses than the one with the least;
 * otherwise it passes, and the latest to pass is the next to leave.
 */
export function admitted(halfLife, margin) {
  const { use, victim, usesOf } = agedFrequency(halfLife);
  const passing = new Set();
  /** The least used when the last tile was dropped. */
  let rival;
  return {
    use(tile, told) {
      use(tile, told);
      if (told.hit && !passing.has(tile)) return;
      passing.delete(tile);
      if (rival === undefined || usesOf(tile) >= usesOf(rival) + margin) return;
      passing.add(tile);
      if (passing.size > MOST_PASSING) passing.delete(passing.keys().next().value);
    },
    victim(candidates) {
      const staying = candidates.filter((tile) => !passing.has(tile));
      if (staying.length > 0) rival = victim(staying);
      const latest = [...passing].reverse().find((tile) => candidates.includes(tile));
      return latest ?? rival;
    },
    dropped: (tile) => passing.delete(tile),
  };
}

/** Adaptive replacement (Megiddo and Modha, FAST 2003), with tiles that may not leave passed over. */
export function arc(slots) {
  const recent = new Map();
  const frequent = new Map();
  const ghostRecent = new Map();
  const ghostFrequent = new Map();
  let target = 0;
  let dropping;
  const trim = (ghosts) => {
    while (ghosts.size > slots) ghosts.delete(ghosts.keys().next().value);
  };
  return {
    use: (tile, { hit }) => {
      if (hit || ghostRecent.has(tile) || ghostFrequent.has(tile)) {
        recent.delete(tile);
        frequent.delete(tile);
        ghostRecent.delete(tile);
        ghostFrequent.delete(tile);
        frequent.set(tile, true);
      } else recent.set(tile, true);
    },
    victim: (candidates, wanted) => {
      if (ghostRecent.has(wanted))
        target = Math.min(slots, target + Math.max(1, ghostFrequent.size / Math.max(1, ghostRecent.size)));
      else if (ghostFrequent.has(wanted))
        target = Math.max(0, target - Math.max(1, ghostRecent.size / Math.max(1, ghostFrequent.size)));
      const free = new Set(candidates);
      const oldest = (list) => [...list.keys()].find((tile) => free.has(tile));
      const fromRecent = recent.size > target || (ghostFrequent.has(wanted) && recent.size === target);
      dropping = fromRecent ? (oldest(recent) ?? oldest(frequent)) : (oldest(frequent) ?? oldest(recent));
      return dropping;
    },
    dropped: (tile) => {
      if (recent.delete(tile)) ghostRecent.set(tile, true);
      else if (frequent.delete(tile)) ghostFrequent.set(tile, true);
      trim(ghostRecent);
      trim(ghostFrequent);
    },
  };
}

/** The one whose next use is furthest: no policy misses less (Belady, IBM Systems Journal 5, 1966). Needs the whole trace. */
export function belady(trace) {
  const uses = new Map();
  trace.forEach(({ tiles }, at) => {
    for (const tile of tiles) uses.set(tile, [...(uses.get(tile) ?? []), at]);
  });
  const nextUse = (tile, at) => {
    const list = uses.get(tile);
    while (list.length > 0 && list[0] <= at) list.shift();
    return list[0] ?? Infinity;
  };
  return {
    use: () => undefined,
    victim: (candidates, _, at) => lowest(candidates, (tile) => -nextUse(tile, at)),
  };
}
