// A definition names exactly the tensors that its checkpoint holds, with their shapes, in both config dialects.

import { listWeights, resolveModel } from '../src/index.js';
import { describeDefinition } from './support/describe-definition.js';
import { readCase, safetensorsCases } from './support/golden-case.js';

/** Factors of FP8 weights belong to those who read them. */
const FACTORS = /\.weight_scale(_inv)?$/;

const elements = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);

describe.each(safetensorsCases)('%s', (name) => {
  const { config, legacyConfig, tensors } = readCase(name);

  it('names every tensor of the file that it does not ignore, with its shape, and no other', () => {
    const definition = resolveModel(config);
    const { embedding, stages } = listWeights(definition);
    const named = [
      embedding,
      ...stages.flatMap(({ weights, experts = [] }) => [...weights, ...experts.flat()]),
    ];
    const distinct = [...new Map(named.map((weight) => [weight.name, weight])).values()];
    const stored = [...tensors].filter(([tensor]) => !definition.ignores(tensor) && !FACTORS.test(tensor));
    expect(
      Object.fromEntries(
        distinct.map(({ name, shape, source }) => [source?.tensor ?? name, source?.shape ?? shape]),
      ),
    ).toEqual(Object.fromEntries(stored.map(([tensor, { shape }]) => [tensor, shape])));
    // Weights that are runs of one tensor cover it exactly.
    expect(distinct.reduce((sum, { shape }) => sum + elements(shape), 0)).toBe(
      stored.reduce((sum, [, { shape }]) => sum + elements(shape), 0),
    );
  });

  if (legacyConfig) {
    it('reads both config dialects as the same model', () => {
      expect(legacyConfig).not.toHaveProperty('rope_parameters');
      expect(describeDefinition(resolveModel(legacyConfig))).toEqual(
        describeDefinition(resolveModel(config)),
      );
    });
  }
});

describe('listWeights', () => {
  it('lists the stages in the order of a pass and weights in the order of use', () => {
    const { embedding, stages } = listWeights(resolveModel(readCase('llama2-mha').config));
    expect(embedding).toEqual({ name: 'model.embed_tokens.weight', shape: [256, 64] });
    expect(stages.map((stage) => stage.name)).toEqual(['layer 0', 'layer 1', 'layer 2', 'head']);
    expect(stages[1]?.weights.map((weight) => weight.name.replace('model.layers.1.', ''))).toEqual([
      'input_layernorm.weight',
      'self_attn.q_proj.weight',
      'self_attn.k_proj.weight',
      'self_attn.v_proj.weight',
      'self_attn.o_proj.weight',
      'post_attention_layernorm.weight',
      'mlp.gate_proj.weight',
      'mlp.up_proj.weight',
      'mlp.down_proj.weight',
    ]);
    expect(stages[3]?.weights.map((weight) => weight.name)).toEqual(['model.norm.weight', 'lm_head.weight']);
    expect(stages[0]).not.toHaveProperty('experts');
  });

  it('keeps experts apart from the weights that every token needs', () => {
    const { stages } = listWeights(resolveModel(readCase('mixtral').config));
    expect(stages[0]?.experts).toHaveLength(4);
    expect(stages[0]?.experts?.[3]?.map((weight) => weight.name)).toEqual(
      ['w1', 'w3', 'w2'].map((stem) => `model.layers.0.block_sparse_moe.experts.3.${stem}.weight`),
    );
    expect(stages[0]?.weights.map((weight) => weight.name)).toContain(
      'model.layers.0.block_sparse_moe.gate.weight',
    );
    expect(stages[0]?.weights.some((weight) => weight.name.includes('experts'))).toBe(false);
  });

  it('names the embedding for a tied head', () => {
    const { stages } = listWeights(resolveModel(readCase('llama-tied').config));
    expect(stages.at(-1)?.weights.map((weight) => weight.name)).toEqual([
      'model.norm.weight',
      'model.embed_tokens.weight',
    ]);
  });
});

it('says which share of a layer’s experts a token is routed to', () => {
  const { config } = readCase('mixtral');
  const { num_experts_per_tok: chosen, num_local_experts: experts } = config as Record<string, number>;
  const { stages } = listWeights(resolveModel(config));
  const shares = stages.map(({ routedShare }) => routedShare);
  expect(shares).toEqual([...shares.slice(0, -1).map(() => Number(chosen) / Number(experts)), undefined]);
});
