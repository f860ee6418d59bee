// Progress of sharding on standard error: one line that is rewritten on a terminal, a line a file elsewhere.

import type { ShardProgress } from '@airllm/core';
import { createLogUpdate } from 'log-update';
import prettyBytes from 'pretty-bytes';

const REFRESH_MS = 100;

const DOING = {
  wait: 'waiting for another process',
  write: 'sharding',
  verify: 'verifying',
  delete: 'deleting originals',
} as const;

export interface ShardProgressLine {
  readonly onProgress: (progress: ShardProgress) => void;
  /** Leaves the line as it is. */
  end(): void;
}

export function createShardProgress(): ShardProgressLine {
  const live = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  let shownAt = 0;
  let filesShown = 0;
  return {
    onProgress: (progress) => {
      const now = performance.now();
      const isDue = live ? now - shownAt >= REFRESH_MS : progress.filesDone > filesShown;
      if (!isDue) return;
      shownAt = now;
      filesShown = progress.filesDone;
      if (live) live(formatProgress(progress));
      else process.stderr.write(`${formatProgress(progress)}\n`);
    },
    end: () => live?.done(),
  };
}

export function formatProgress(progress: ShardProgress): string {
  const { phase, file, filesDone, filesTotal, doneBytes, totalBytes, bytesPerSecond, secondsLeft } = progress;
  if (phase === 'wait') return DOING.wait;
  return [
    `${DOING[phase]} ${file}`,
    `${filesDone} of ${filesTotal} files`,
    `${prettyBytes(doneBytes)} of ${prettyBytes(totalBytes)}`,
    `${prettyBytes(bytesPerSecond)}/s`,
    ...(secondsLeft === undefined ? [] : [`${formatSeconds(secondsLeft)} left`]),
  ].join(' · ');
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  const minutes = Math.floor(whole / 60);
  if (minutes === 0) return `${whole} s`;
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
