// Which tiles of experts should a cache drop? Bytes missed by several policies, beside the least that any could miss, over
// traces of real routers (of the reference fixtures and of synthetic checkpoints: all of random weights) and of routers that
// are drawn. The first half of a trace fills the cache and is not counted.

import { caseNames, fixturesFolder } from '@airllm/fixtures';
import { join } from 'node:path';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { admitted, agedFrequency, arc, belady, countMisses, lru, lru2 } from './lib/cache-policies.js';
import { promptIds } from './lib/decode-round.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { traceRouting } from './lib/routing-trace.js';
import { syntheticRouting } from './lib/synthetic-routing.js';

const MIXTURES = ['mixtral', 'qwen2-moe', 'qwen3-moe', 'deepseek-v3', 'gpt-oss'];
const CACHED_SHARES = [0.15, 0.3, 0.6];
const HALF_LIVES = [4, 16, 64, 256];
/** Uses that a tile needs more than the one whose place it takes. */
const MARGINS = [0.5, 1, 2, 4];

await runProgram({
  about: 'Bytes missed by policies of the expert cache ÷ the least possible (Belady)',
  defaults: { passes: 400, presets: 'none' },
  async measure({ passes, presets }) {
    const rows = [];
    for (const [name, open] of traces(passes, presets === 'none' ? [] : presets.split(','))) {
      progress(name);
      const { trace, tiles } = await open();
      const most = Math.max(...trace.map((layer) => layer.tiles.length));
      const slots = new Set(CACHED_SHARES.map((share) => Math.max(most, Math.round(tiles * share))));
      for (const count of slots)
        rows.push(compare(`${name}, ${Math.round((100 * count) / tiles)}% cached`, trace, count));
    }
    return rows;
  },
});

function* traces(passes, presets) {
  for (const name of MIXTURES.filter((mixture) => caseNames.includes(mixture)))
    yield [`${name} fixture`, () => traceFixture(join(fixturesFolder, name), passes)];
  for (const preset of presets) yield [preset, () => tracePreset(preset)];
  const shape = { passes, layers: 16, experts: 16, topK: 2 };
  yield ['drawn, uniform', () => syntheticRouting(shape)];
  yield ['drawn, Zipf', () => syntheticRouting({ ...shape, skew: 1 })];
  yield ['drawn, Zipf dealt anew every 100', () => syntheticRouting({ ...shape, skew: 1, drift: 100 })];
  yield ['drawn, 30% repeated', () => syntheticRouting({ ...shape, skew: 0.5, repeat: 0.3 })];
}

function traceFixture(folder, passes) {
  const prompts = Array.from({ length: Math.ceil(passes / 50) }, (_, i) =>
    promptIds(6).map((id) => (id + i) % 64),
  );
  return traceRouting(folder, { prompts, tokens: 50, sampling: { temperature: 1 }, memory: '1GB' });
}

async function tracePreset(preset) {
  const { folder } = await openBenchCheckpoint(preset);
  const sampling = { temperature: 1e6, topK: 0, topP: 1 };
  return traceRouting(folder, { prompts: [promptIds(8)], tokens: 120, sampling, memory: '7.5GB' });
}

function compare(name, trace, slots) {
  const warmup = Math.floor(trace.length / 2);
  const used = trace.slice(warmup).reduce((sum, layer) => sum + layer.tiles.length, 0);
  const missed = (policy) => countMisses(trace, slots, policy, warmup);
  const least = missed(belady(trace));
  const candidates = {
    LRU: lru(),
    'LRU-2': lru2(),
    ARC: arc(slots),
    LFU: agedFrequency(Infinity),
    ...Object.fromEntries(MARGINS.map((margin) => [`aged 16 + ${margin}`, admitted(16, margin)])),
    ...Object.fromEntries(HALF_LIVES.map((halfLife) => [`aged ${halfLife}`, agedFrequency(halfLife)])),
  };
  const figures = Object.entries(candidates).map(
    ([policy, state]) => `${policy} ${(missed(state) / used).toFixed(3)}`,
  );
  return { name, figure: figures.join('  '), limit: (least / used).toFixed(3) };
}
