// What the store did, counted per stage (layer, head): where the bytes came from and who waited.

export interface StageStats {
  readonly name: string;
  /** Bytes read from disk. */
  bytesRead: number;
  /** Of these, read because they were foreseen and then not wanted: they may still be found in the cache later. */
  wastedBytes: number;
  /** Sum over reads of their duration, in seconds; reads overlap each other and compute. */
  readSeconds: number;
  /** Seconds compute waited for a tile. */
  waitSeconds: number;
  /** Tiles that were in memory when asked for. */
  hits: number;
  /** Tiles that had to be waited for. */
  misses: number;
}

export function createStageStats(name: string): StageStats {
  return { name, bytesRead: 0, wastedBytes: 0, readSeconds: 0, waitSeconds: 0, hits: 0, misses: 0 };
}
