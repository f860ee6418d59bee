// Which families there are, and the names configs call them by.

import type { Family } from '../family.js';
import { nested, wrapped, type TextNaming } from '../text-part.js';
import { chatglm } from './chatglm.js';
import { deepseekV2, deepseekV3 } from './deepseek.js';
import { gptOss } from './gpt-oss.js';
import { llama } from './llama.js';
import { llama4 } from './llama4.js';
import { mistral } from './mistral.js';
import { mixtral } from './mixtral.js';
import { qwen2Moe } from './qwen2-moe.js';
import { qwen2 } from './qwen2.js';
import { qwen3Moe } from './qwen3-moe.js';
import { qwen35, qwen35Moe, qwen3Next } from './qwen3-next.js';
import { qwen3 } from './qwen3.js';

/** A family and its aliases: values of `architectures[0]` and of `model_type`. */
export interface FamilyEntry {
  readonly family: Family;
  readonly architectures: readonly string[];
  readonly modelTypes: readonly string[];
  /** Given for multimodal models, of which the text part is run. */
  readonly textNaming?: TextNaming;
}

export const FAMILIES: readonly FamilyEntry[] = [
  { family: llama, architectures: ['LlamaForCausalLM', 'LLaMAForCausalLM'], modelTypes: ['llama'] },
  { family: mistral, architectures: ['MistralForCausalLM'], modelTypes: ['mistral'] },
  { family: qwen2, architectures: ['Qwen2ForCausalLM'], modelTypes: ['qwen2'] },
  { family: qwen3, architectures: ['Qwen3ForCausalLM'], modelTypes: ['qwen3'] },
  { family: mixtral, architectures: ['MixtralForCausalLM'], modelTypes: ['mixtral'] },
  {
    family: chatglm,
    architectures: ['ChatGLMModel', 'ChatGLMForConditionalGeneration'],
    modelTypes: ['chatglm'],
  },
  { family: qwen2Moe, architectures: ['Qwen2MoeForCausalLM'], modelTypes: ['qwen2_moe'] },
  { family: qwen3Moe, architectures: ['Qwen3MoeForCausalLM'], modelTypes: ['qwen3_moe'] },
  { family: qwen3Next, architectures: ['Qwen3NextForCausalLM'], modelTypes: ['qwen3_next'] },
  { family: qwen35, architectures: ['Qwen3_5ForCausalLM'], modelTypes: ['qwen3_5_text'] },
  {
    family: qwen35,
    architectures: ['Qwen3_5ForConditionalGeneration'],
    modelTypes: ['qwen3_5'],
    textNaming: nested,
  },
  { family: qwen35Moe, architectures: ['Qwen3_5MoeForCausalLM'], modelTypes: ['qwen3_5_moe_text'] },
  {
    family: qwen35Moe,
    architectures: ['Qwen3_5MoeForConditionalGeneration'],
    modelTypes: ['qwen3_5_moe'],
    textNaming: nested,
  },
  { family: deepseekV2, architectures: ['DeepseekV2ForCausalLM'], modelTypes: ['deepseek_v2'] },
  { family: deepseekV3, architectures: ['DeepseekV3ForCausalLM'], modelTypes: ['deepseek_v3', 'kimi_k2'] },
  { family: llama4, architectures: ['Llama4ForCausalLM'], modelTypes: ['llama4_text'] },
  {
    family: llama4,
    architectures: ['Llama4ForConditionalGeneration'],
    modelTypes: ['llama4'],
    textNaming: wrapped,
  },
  { family: gptOss, architectures: ['GptOssForCausalLM'], modelTypes: ['gpt_oss'] },
];
