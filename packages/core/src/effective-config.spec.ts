import { resolveModel } from '@airllm/model-zoo';
import { effectiveConfig } from './effective-config.js';

const LLAMA = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 256,
};

/** As ModelOpt writes it beside config.json. */
const quantFile = (quantization: object) => ({
  producer: { name: 'modelopt', version: '0.23.0' },
  quantization,
});
const withFile = (file: unknown, config: object = LLAMA) =>
  effectiveConfig({
    config: { ...config },
    readJson: (name) => Promise.resolve(name === 'hf_quant_config.json' ? file : undefined),
  });

it('reads FP8 that only hf_quant_config.json tells', async () => {
  const config = await withFile(
    quantFile({ quant_algo: 'FP8', kv_cache_quant_algo: 'FP8', exclude_modules: ['lm_head'] }),
  );
  expect(config['quantization_config']).toMatchObject({ quant_method: 'modelopt', quant_algo: 'FP8' });
  expect(resolveModel(config).family).toBe('llama');
});

it('has another format refused by its name', async () => {
  const config = await withFile(
    quantFile({ quant_algo: 'NVFP4', kv_cache_quant_algo: null, group_size: 16 }),
  );
  expect(() => resolveModel(config)).toThrow(/NVFP4/);
});

it('leaves a config alone that tells of its quantization, or has none', async () => {
  expect(await withFile(undefined)).toEqual(LLAMA);
  expect(await withFile(quantFile({ quant_algo: null, kv_cache_quant_algo: 'FP8' }))).toEqual(LLAMA);
  const own = { ...LLAMA, quantization_config: { quant_method: 'fp8' } };
  expect(await withFile(quantFile({ quant_algo: 'NVFP4' }), own)).toEqual(own);
  const nested = { text_config: own };
  expect(await withFile(quantFile({ quant_algo: 'NVFP4' }), nested)).toEqual(nested);
});
