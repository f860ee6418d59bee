// What someone who wrote an unknown option name probably meant.

/** Names further away than this share of their length are no suggestion. */
const MAX_DISTANCE_SHARE = 0.5;

/** The name nearest to `given`, or undefined if none is near. Case and underscores do not count (`hf_token`). */
export function closestName(given: string, names: readonly string[]): string | undefined {
  const plain = (name: string): string => name.slice(0, 64).toLowerCase().replaceAll(/[_-]/g, '');
  const ranked = names
    .map((name) => ({ name, distance: editDistance(plain(given), plain(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= best.name.length * MAX_DISTANCE_SHARE ? best.name : undefined;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
