// What a model has done since it was opened.

import type { Backend } from '@airllm/backend';
import type { LanguageModel, RunCounters } from '@airllm/generate';
import type { LayerStore, ReadMethod, StageStats } from '@airllm/layer-store';

/** One layer, or the head. Seconds of reading and computing overlap. */
export interface LayerStats extends Readonly<StageStats> {
  /** Seconds the device computed. */
  readonly computeSeconds: number;
}

export interface ModelStats extends Readonly<RunCounters> {
  readonly layers: readonly LayerStats[];
  readonly embedding: Readonly<StageStats>;
  /** Bytes read from disk, embedding rows included. */
  readonly bytesRead: number;
  /** Tokens per second of the passes that computed one token per sequence; 0 before the first. */
  readonly decodeTokensPerSecond: number;
  /** What the process holds now, by the operating system's count, in bytes. */
  readonly residentBytes: number;
  /** What is held of the memory of a device that has its own, by the figure it goes by; undefined for others. */
  readonly deviceBytes: number | undefined;
  /** Bytes that weights which stay in memory do not take since they were packed: see `packPinned`. */
  readonly packedSavedBytes: number;
  /** Why no more of them are packed; undefined where nothing went wrong. */
  readonly packingStoppedReason: string | undefined;
  /** Why reads go through the page cache; undefined when they are direct. */
  readonly bufferedReason: string | undefined;
  /** What reads: `io_uring`, native `threads`, or `node`, which is node:fs; undefined before the first read. */
  readonly readMethod: ReadMethod | undefined;
}

/** What a store has read, per layer and for embedding rows. */
export interface StoreStats {
  readonly layers: readonly Readonly<StageStats>[];
  readonly embedding: Readonly<StageStats>;
}

/** The sums of two stores of one model. */
export function addStageStats(stats: StoreStats, past: StoreStats | undefined): StoreStats {
  if (!past) return stats;
  return {
    layers: stats.layers.map((layer, i) => add(layer, past.layers[i])),
    embedding: add(stats.embedding, past.embedding),
  };
}

function add(stage: Readonly<StageStats>, past: Readonly<StageStats> | undefined): StageStats {
  return {
    name: stage.name,
    bytesRead: stage.bytesRead + (past?.bytesRead ?? 0),
    wastedBytes: stage.wastedBytes + (past?.wastedBytes ?? 0),
    readSeconds: stage.readSeconds + (past?.readSeconds ?? 0),
    waitSeconds: stage.waitSeconds + (past?.waitSeconds ?? 0),
    hits: stage.hits + (past?.hits ?? 0),
    misses: stage.misses + (past?.misses ?? 0),
  };
}

/** @param storeStats of all stores the model has had */
export function collectStats(
  { store, backend: { deviceMemory } }: { readonly store: LayerStore; readonly backend: Backend },
  storeStats: StoreStats,
  runner: LanguageModel,
): ModelStats {
  const { counters, computeSeconds } = runner;
  const layers = storeStats.layers.map((stats, i) => ({ ...stats, computeSeconds: computeSeconds[i] ?? 0 }));
  const embedding = { ...storeStats.embedding };
  const { decodeTokens, decodeSeconds } = counters;
  return {
    ...counters,
    layers,
    embedding,
    bytesRead: layers.reduce((sum, layer) => sum + layer.bytesRead, embedding.bytesRead),
    decodeTokensPerSecond: decodeSeconds > 0 ? decodeTokens / decodeSeconds : 0,
    residentBytes: process.memoryUsage.rss(),
    deviceBytes: deviceMemory?.usedBytes,
    packedSavedBytes: store.packing.savedBytes,
    packingStoppedReason: store.packing.error?.message,
    bufferedReason: store.bufferedReason,
    readMethod: store.reading.method,
  };
}

/** The table that `profilingMode` prints after a run. */
export function formatProfile(stats: ModelStats): string {
  const header = ['', 'compute s', 'read s', 'wait s', 'MB read', 'hits', 'misses'];
  const rows = stats.layers.map((layer) => [
    layer.name,
    layer.computeSeconds.toFixed(3),
    layer.readSeconds.toFixed(3),
    layer.waitSeconds.toFixed(3),
    (layer.bytesRead / 1e6).toFixed(1),
    String(layer.hits),
    String(layer.misses),
  ]);
  const widths = header.map((title, i) =>
    Math.max(...[header, ...rows].map((row) => row[i]?.length ?? 0), title.length),
  );
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  '),
    )
    .join('\n');
}
