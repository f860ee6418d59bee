// airllm and its peers side by side: the same weights, prompt and greedy tokens, the same hard memory limit, cold caches, a
// fixed read-ahead of the disk, alternating rounds. Prints a table and draws a plot.
//
//   bench/peers/setup.sh && node bench/peers/run.js [--hosts 2GiB,4GiB] [--rounds 3] [--svg FILE]

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseBytes } from '@airllm/core';
import { writeGguf } from '@airllm/synthetic-checkpoint';
import { openBenchCheckpoint } from '../lib/bench-checkpoint.js';
import { promptIds } from '../lib/decode-round.js';
import { describeMachine, runProgram } from '../lib/program.js';
import { progress } from '../lib/progress.js';
import { rawBandwidth } from '../lib/raw-bandwidth.js';
import { median } from '../lib/statistics.js';
import { listEngines } from './lib/engines.js';
import { chooseSetting, measureEngine } from './lib/measure.js';
import { plotBars } from './lib/plot.js';
import { fixReadAhead } from './lib/read-ahead.js';

const PROMPT_LENGTH = 8;
/** Issue 5, rows 2 and 3: airllm's rate over the peer's, by the limit in GiB. */
const LEAST = { 'node-llama-cpp': { 2: 1.6, 4: 3.5 }, 'Accelerate disk offload': { 2: 2, 4: 3 } };

await runProgram({
  about: 'Decoding under a hard memory limit, side by side',
  defaults: {
    ...{ preset: '5GB', hosts: '2GiB,4GiB', tokens: 4, rounds: 3 },
    ...{ 'read-ahead': 8192, engines: 'all', svg: '.cache/bench/peers.svg' },
  },
  async measure({ preset, hosts, tokens, rounds, engines: wanted, svg, ...options }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const gguf = await openGguf(checkpoint.folder);
    const engines = listEngines().filter(({ name, missing }) => {
      if (missing !== undefined) progress(`${name} left out: ${missing}`);
      return missing === undefined && (wanted === 'all' || wanted.split(',').includes(name));
    });
    const restoreReadAhead = await fixReadAhead(gguf, options['read-ahead']);
    const groups = [];
    try {
      for (const host of hosts.split(',')) {
        const run = {
          ...{ folder: checkpoint.folder, gguf, tokens, limitBytes: parseBytes(host) },
          ...{ prompt: promptIds(PROMPT_LENGTH), promptLength: PROMPT_LENGTH },
          scratch: join(checkpoint.folder, '..', 'offload'),
        };
        groups.push(await measureGroup(host, engines, run, { checkpoint, rounds }));
      }
    } finally {
      await restoreReadAhead();
    }
    await draw(groups, svg, { preset, readAhead: options['read-ahead'] });
    return groups.flatMap((group) => describeGroup(group, { preset, readAhead: options['read-ahead'] }));
  },
});

async function openGguf(folder) {
  const path = `${folder}.gguf`;
  if (!existsSync(path)) {
    progress(`writing ${path}`);
    await writeGguf(folder, path, { type: 'bf16' });
  }
  return path;
}

/** Rounds of raw reads and every engine, each with the setting that was fastest in a trial. */
async function measureGroup(host, engines, run, { checkpoint, rounds }) {
  progress(`limit ${host}`);
  const chosen = [];
  for (const engine of engines) {
    const setting = await chooseSetting(engine, run);
    if (setting) chosen.push({ engine, setting, results: [] });
    else progress(`${engine.name} has no setting that runs in ${host}`);
  }
  const bandwidths = [];
  for (let round = 0; round < rounds; round++) {
    bandwidths.push(await rawBandwidth(checkpoint.files));
    for (const { engine, setting, results } of chosen) {
      const result = await measureEngine(engine, setting, run);
      if (result.failed !== undefined) throw new Error(`${engine.name} in ${host}: ${result.failed}`);
      results.push(result);
      progress(`round ${round + 1}, ${engine.name}: ${result.rate.toFixed(3)} tokens/s`);
    }
  }
  const limit = median(bandwidths) / (checkpoint.tokenBytes - run.limitBytes);
  return { host, limitBytes: run.limitBytes, limit, bandwidth: median(bandwidths), chosen };
}

function describeGroup({ host, limitBytes, limit, bandwidth, chosen }, { preset, readAhead }) {
  const middle = (results, field) => median(results.map((result) => result[field]));
  const ours = chosen.find(({ engine }) => engine.name === 'airllm');
  return chosen.flatMap(({ engine, setting, results }) => {
    const rate = middle(results, 'rate');
    const row = {
      name: `${preset} in ${host}, ${engine.name} (${setting.name})`,
      figure:
        `${rate.toFixed(3)} tokens/s, ${(middle(results, 'storageBytes') / 1e9).toFixed(2)} GB read per token, ` +
        `peak ${(Math.max(...results.map(({ peakBytes }) => peakBytes)) / limitBytes).toFixed(3)} of the limit`,
      limit: `${limit.toFixed(3)} tokens/s at ${(bandwidth / 1e6).toFixed(0)} MB/s, read-ahead ${readAhead} KB`,
      ratio: rate / limit,
    };
    const atLeast = LEAST[engine.name]?.[limitBytes / 2 ** 30];
    if (!ours || engine === ours.engine) return [row];
    const factors = ours.results.map((result, round) => result.rate / results[round].rate);
    return [
      row,
      {
        name: `${preset} in ${host}, airllm ÷ ${engine.name}`,
        figure: `${middle(ours.results, 'rate').toFixed(3)} tokens/s`,
        limit: `${rate.toFixed(3)} tokens/s`,
        ratio: median(factors),
        ...(atLeast === undefined ? {} : { atLeast }),
      },
    ];
  });
}

async function draw(groups, path, { preset, readAhead }) {
  const svg = plotBars({
    title: `Decoding ${preset} of bf16 weights under a hard memory limit`,
    subtitle: `${describeMachine()}, read-ahead ${readAhead} KB`,
    groups: groups.map(({ host, limit, chosen }) => ({
      label: host,
      limit,
      bars: chosen.map(({ engine, results }) => ({
        name: engine.name,
        value: median(results.map(({ rate }) => rate)),
      })),
    })),
  });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, svg);
  progress(`plot written to ${path}`);
}
