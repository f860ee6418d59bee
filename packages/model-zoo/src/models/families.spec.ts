import { chatglm } from './chatglm.js';
import { mistral } from './mistral.js';
import { mixtral } from './mixtral.js';
import { qwen2 } from './qwen2.js';
import { ConfigReader } from '../config/config-reader.js';

const SIZES = {
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 256,
};

const windows = (family: typeof mistral, config: Record<string, unknown>) =>
  family
    .parse(new ConfigReader({ ...SIZES, ...config }))
    .mixers.map((mixer) => (mixer.kind === 'attention' ? mixer.window : undefined));

describe('sliding windows', () => {
  it('Mistral: 4096 when absent, none when null', () => {
    expect(windows(mistral, {})).toEqual([4096, 4096, 4096]);
    expect(windows(mistral, { sliding_window: null })).toEqual([undefined, undefined, undefined]);
    expect(windows(mistral, { sliding_window: 8 })).toEqual([8, 8, 8]);
  });

  it('Mixtral: none when absent', () => {
    expect(windows(mixtral, {})).toEqual([undefined, undefined, undefined]);
    expect(windows(mixtral, { sliding_window: 8 })).toEqual([8, 8, 8]);
  });

  it('Qwen2: only when enabled, from max_window_layers on', () => {
    expect(windows(qwen2, { sliding_window: 6 })).toEqual([undefined, undefined, undefined]);
    const enabled = { use_sliding_window: true, sliding_window: 6, max_window_layers: 1 };
    expect(windows(qwen2, enabled)).toEqual([undefined, 6, 6]);
  });

  it('layer_types overrides the rule', () => {
    const layer_types = ['sliding_attention', 'full_attention', 'sliding_attention'];
    expect(windows(qwen2, { use_sliding_window: true, sliding_window: 6, layer_types })).toEqual([
      6,
      undefined,
      6,
    ]);
    expect(windows(qwen2, { use_sliding_window: false, sliding_window: 6, layer_types })).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(() => windows(qwen2, { layer_types: layer_types.slice(1) })).toThrow(/layer_types/);
    expect(() => windows(qwen2, { layer_types: ['linear_attention', ...layer_types.slice(1)] })).toThrow(
      /linear_attention/,
    );
  });
});

describe('ChatGLM rope_ratio', () => {
  const rope = (config: Record<string, unknown>) =>
    chatglm.parse(
      new ConfigReader({
        ...SIZES,
        num_layers: 1,
        ffn_hidden_size: 8,
        multi_query_group_num: 2,
        kv_channels: 16,
        padded_vocab_size: 256,
        seq_length: 64,
        ...config,
      }),
    ).ropes[0];

  it('scales theta, except for chatglm2, where it divides positions', () => {
    expect(rope({ rope_ratio: 50 })).toMatchObject({
      theta: 500_000,
      rotaryDim: 8,
      scaling: { type: 'default' },
    });
    expect(rope({ rope_ratio: 4, _name_or_path: 'THUDM/chatglm2-6b-32k' })).toMatchObject({
      theta: 10_000,
      scaling: { type: 'linear', factor: 4 },
    });
  });
});
