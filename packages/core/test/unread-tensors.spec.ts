// Tensors that nothing reads are named; those of the golden cases, buffers and prediction heads included, are all known.

import { join } from 'node:path';
import { caseNames, fixturesFolder } from '@airllm/fixtures';
import { layOutStore } from '@airllm/layer-store';
import { listWeights } from '@airllm/model-zoo';
import { AutoModel, type InspectedModel } from '../src/index.js';
import { unreadTensorsNotice } from '../src/unread-tensors.js';

/** Names of the tensors that weights are made of, companions of packed ones included. */
const readBy = ({ checkpoint: { tensors }, definition }: InspectedModel): ReadonlySet<string> =>
  layOutStore({ ...listWeights(definition), tensors, tileBytes: 1 << 20 }).tensorNames;

it.each(caseNames)('%s: every tensor is read or known to be of no use', async (name) => {
  const model = await AutoModel.inspect(join(fixturesFolder, name));
  const names = model.checkpoint.tensors.keys();
  expect(unreadTensorsNotice(names, readBy(model), model.definition)).toBeUndefined();
});

it('names tensors that have no place', async () => {
  const model = await AutoModel.inspect(join(fixturesFolder, 'llama3-gqa'));
  const strange = Array.from({ length: 7 }, (_, i) => `model.layers.0.adapter.${i}.weight`);
  const names = [...model.checkpoint.tensors.keys(), 'model.layers.0.self_attn.q_proj.bias', ...strange];
  const notice = unreadTensorsNotice(names, readBy(model), model.definition);
  expect(notice).toContain('a llama model');
  expect(notice).toContain('model.layers.0.self_attn.q_proj.bias, model.layers.0.adapter.0.weight');
  expect(notice).toContain('model.layers.0.adapter.3.weight and 3 more');
});
