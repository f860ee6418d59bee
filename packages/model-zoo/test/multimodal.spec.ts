// The text part of multimodal checkpoints: the golden text models under the names and in the layout that their
// multimodal relatives are published with give the same logits.

import { resolveModel } from '../src/index.js';
import { floats, readCase, type GoldenCase, type RawTensor } from './support/golden-case.js';
import { runPrompt } from './support/run-prompt.js';

type Tensors = ReadonlyMap<string, RawTensor>;

const renamed = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  new Map([...tensors].map(([name, tensor]) => [rename(name), tensor]));

/** `model.…` under `model.language_model.…`, the head as it is. */
const nested = (tensors: Tensors): Tensors =>
  renamed(tensors, (name) => name.replace(/^model\./, 'model.language_model.'));

/** Everything under `language_model.`. */
const wrapped = (tensors: Tensors): Tensors => renamed(tensors, (name) => `language_model.${name}`);

const fused = (tensors: Tensors): Tensors => nested(withFusedExperts(tensors));
const fusedInputMajor = (tensors: Tensors): Tensors => nested(inputMajor(withFusedExperts(tensors)));

const CASES: readonly (readonly [string, string, string, (tensors: Tensors) => Tensors])[] = [
  ['llama4-text', 'Llama4ForConditionalGeneration', 'as published', wrapped],
  ['qwen3.5-text', 'Qwen3_5ForConditionalGeneration', 'as published', nested],
  ['qwen3.5-moe-text', 'Qwen3_5MoeForConditionalGeneration', 'as published', fused],
  ['qwen3.5-moe-text', 'Qwen3_5MoeForConditionalGeneration', 'one tensor per expert', nested],
  ['qwen3-moe', 'Qwen3VLMoeForConditionalGeneration', 'as published', fusedInputMajor],
  ['qwen3-moe', 'Qwen3VLMoeForConditionalGeneration', 'output-major', fused],
  ['qwen3-moe', 'Qwen3VLMoeForConditionalGeneration', 'one tensor per expert', nested],
  ['glm4', 'Glm4vForConditionalGeneration', 'as published', nested],
];

it.each(CASES)('%s as the text part of %s, %s', async (name, architecture, _, layout) => {
  const { config, tensors, golden, expected } = readCase(name);
  const vision: RawTensor = { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) };
  const stored = new Map([...layout(tensors), ['model.visual.patch_embed.weight', vision]]);
  const definition = resolveModel(
    { architectures: [architecture], text_config: config, vision_config: { hidden_size: 8 } },
    { tensors: stored },
  );
  expect(definition.notices).toHaveLength(1);
  expect([...stored.keys()].filter((tensor) => definition.ignores(tensor))).toEqual([
    'model.visual.patch_embed.weight',
  ]);
  const prompt = longestPrompt(golden);
  const { logits } = await runPrompt(definition, stored, golden.prompts[prompt]?.input_ids ?? []);
  const reference = floats(expected.get(`logits.${prompt}`));
  const worst = reference.reduce((max, value, i) => Math.max(max, Math.abs(value - (logits[i] ?? NaN))), 0);
  // Logits of these cases have a standard deviation above 1; the goldens allow 2e-3 of it.
  expect(worst).toBeLessThan(2e-3);
});

function longestPrompt({ prompts }: GoldenCase['golden']): number {
  const lengths = prompts.map(({ input_ids }) => input_ids.length);
  return lengths.indexOf(Math.max(...lengths));
}

/** Fused bf16 experts with their matrices transposed, as Qwen3-VL has them. */
function inputMajor(tensors: Tensors): Tensors {
  const transposed = (tensor: RawTensor): RawTensor => {
    const [experts = 0, rows = 0, cols = 0] = tensor.shape;
    const from = new Uint16Array(tensor.bytes.slice().buffer);
    const to = new Uint16Array(from.length);
    from.forEach((value, i) => {
      const [expert, row, col] = [Math.floor(i / (rows * cols)), Math.floor(i / cols) % rows, i % cols];
      to[(expert * cols + col) * rows + row] = value;
    });
    return { ...tensor, shape: [experts, cols, rows], bytes: new Uint8Array(to.buffer) };
  };
  return new Map(
    [...tensors].map(([name, tensor]) => [name, /experts\.\w+$/.test(name) ? transposed(tensor) : tensor]),
  );
}

/** Experts' matrices one after another in one tensor: gate and up [E, 2I, D], down [E, D, I]. */
function withFusedExperts(tensors: Tensors): Tensors {
  const separate = /^(.*\.mlp\.experts\.)(\d+)\.(gate|up|down)_proj\.weight$/;
  const fused = new Map([...tensors].filter(([name]) => !separate.test(name)));
  for (const name of tensors.keys()) {
    const [, prefix, expert] = separate.exec(name) ?? [];
    if (prefix === undefined || expert !== '0') continue;
    fused.set(`${prefix}gate_up_proj`, joined(prefix, ['gate_proj', 'up_proj']));
    fused.set(`${prefix}down_proj`, joined(prefix, ['down_proj']));
  }
  return fused;

  function joined(prefix: string, stems: readonly string[]): RawTensor {
    const parts: RawTensor[] = [];
    let experts = 0;
    for (; tensors.has(`${prefix}${experts}.${stems[0]}.weight`); experts++) {
      for (const stem of stems) {
        const part = tensors.get(`${prefix}${experts}.${stem}.weight`);
        if (part) parts.push(part);
      }
    }
    const [{ dtype, shape: [rows = 0, cols = 0] } = { dtype: '', shape: [] }] = parts;
    const bytes = new Uint8Array(Buffer.concat(parts.map((part) => part.bytes)));
    return { dtype, shape: [experts, rows * stems.length, cols], bytes };
  }
}
