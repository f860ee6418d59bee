// Tensors that nothing reads are named; those of the golden cases, buffers and prediction heads included, are all known.

import { join } from 'node:path';
import { caseNames, fixturesFolder } from '@airllm/fixtures';
import { AutoModel } from '../src/index.js';
import { unreadTensorsNotice } from '../src/unread-tensors.js';

it.each(caseNames)('%s: every tensor is read or known to be of no use', async (name) => {
  const { checkpoint, definition } = await AutoModel.inspect(join(fixturesFolder, name));
  expect(unreadTensorsNotice(checkpoint, definition)).toBeUndefined();
});

it('names tensors that have no place', async () => {
  const { checkpoint, definition } = await AutoModel.inspect(join(fixturesFolder, 'llama3-gqa'));
  const norm = checkpoint.tensors.get('model.norm.weight');
  if (!norm) throw new Error('Expected model.norm.weight in the case');
  const strange = Array.from({ length: 7 }, (_, i) => [`model.layers.0.adapter.${i}.weight`, norm] as const);
  const bias = ['model.layers.0.self_attn.q_proj.bias', norm] as const;
  const tensors = new Map([...checkpoint.tensors, bias, ...strange]);
  const notice = unreadTensorsNotice({ tensors }, definition);
  expect(notice).toContain('a llama model');
  expect(notice).toContain('model.layers.0.self_attn.q_proj.bias, model.layers.0.adapter.0.weight');
  expect(notice).toContain('model.layers.0.adapter.3.weight and 3 more');
});
