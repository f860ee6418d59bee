// The suite that compares each op with the float64 reference, and models end to end against ids of the reference implementation: as
// rows of a benchmark, so that one program tells all of a GPU.

import { join } from 'node:path';
import { BackendError } from '@airllm/backend';
import { assertConforms, conformanceCases } from '@airllm/backend/conformance';
import { AutoModel } from '@airllm/core';
import { caseNames, fixturesFolder, readGoldenPrompts } from '@airllm/fixtures';
import { progress } from './progress.js';

/** A row: cases that pass ÷ cases. `open` resolves to a backend, of which some cases need one of their own. */
export async function conformanceRow(name, { open, precision }) {
  const cases = conformanceCases({ precision });
  const shared = await open();
  let passed = 0;
  try {
    for (const one of cases) {
      try {
        await assertConforms(one.disposesBackend ? await open() : shared, one);
        passed += 1;
      } catch (error) {
        progress(`${one.name}: ${messageOf(error)}`);
        if (error instanceof BackendError && error.code === 'DEVICE_LOST') break;
      }
    }
  } finally {
    await shared[Symbol.asyncDispose]();
  }
  return {
    name,
    figure: `${passed} passed`,
    limit: `${cases.length} cases`,
    ratio: passed / cases.length,
    atLeast: 1,
  };
}

/** A row: prompts that are continued as the reference does, alone and all of a model in one batch ÷ prompts. */
export async function goldensRow({ device, tokens }) {
  let passed = 0;
  let all = 0;
  for (const name of caseNames) {
    const prompts = readGoldenPrompts(name).map(({ input_ids: inputIds, greedy }) => ({
      inputIds,
      expected: greedy.slice(0, tokens).join(),
    }));
    all += 2 * prompts.length;
    try {
      passed += await countGoldens(join(fixturesFolder, name), { device, tokens, prompts });
    } catch (error) {
      progress(`${name}: ${messageOf(error)}`);
    }
  }
  return {
    name: `greedy ids of ${caseNames.length} models, alone and in a batch`,
    figure: `${passed} right`,
    limit: `${all} continuations of up to ${tokens} tokens`,
    ratio: passed / all,
    atLeast: 1,
  };
}

async function countGoldens(folder, { device, tokens, prompts }) {
  const model = await AutoModel.fromPretrained(folder, { device });
  try {
    const options = { maxNewTokens: tokens, ignoreEos: true };
    const alone = [];
    for (const { inputIds } of prompts) alone.push(await model.generate({ inputIds }, options));
    const batch = await model.generate({ inputIds: prompts.map(({ inputIds }) => inputIds) }, options);
    return [...alone, ...batch].filter(
      ({ tokenIds }, i) => tokenIds.join() === prompts[i % prompts.length].expected,
    ).length;
  } finally {
    await model[Symbol.asyncDispose]();
  }
}

function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
