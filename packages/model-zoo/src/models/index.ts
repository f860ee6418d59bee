// Which families there are, and the names configs call them by.

import type { Family } from '../family.js';
import { asIs, nested, wrapped, type TextNaming } from '../text-part.js';
import { baichuan } from './baichuan.js';
import { chatglm } from './chatglm.js';
import { cohere, cohere2 } from './cohere.js';
import { deepseekV2, deepseekV3 } from './deepseek.js';
import { falcon } from './falcon.js';
import { gemma } from './gemma.js';
import { gemma2 } from './gemma2.js';
import { gemma3 } from './gemma3.js';
import { glm, glm4 } from './glm.js';
import { gptNeox } from './gpt-neox.js';
import { gptOss } from './gpt-oss.js';
import { granite } from './granite.js';
import { internlm } from './internlm.js';
import { internlm2 } from './internlm2.js';
import { llama } from './llama.js';
import { llama4 } from './llama4.js';
import { mistral } from './mistral.js';
import { mixtral } from './mixtral.js';
import { olmo2 } from './olmo2.js';
import { olmo3 } from './olmo3.js';
import { phi3 } from './phi3.js';
import { qwen } from './qwen.js';
import { qwen2Moe } from './qwen2-moe.js';
import { qwen2 } from './qwen2.js';
import { qwen3Moe, qwen3VlMoe } from './qwen3-moe.js';
import { qwen35, qwen35Moe, qwen35MoeFused, qwen3Next } from './qwen3-next.js';
import { qwen3 } from './qwen3.js';
import { starcoder2 } from './starcoder2.js';

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
  {
    family: mistral,
    architectures: ['Mistral3ForConditionalGeneration'],
    modelTypes: ['mistral3'],
    textNaming: wrapped,
  },
  { family: qwen, architectures: ['QWenLMHeadModel'], modelTypes: ['qwen'] },
  { family: qwen2, architectures: ['Qwen2ForCausalLM'], modelTypes: ['qwen2'] },
  {
    family: qwen2,
    architectures: ['Qwen2VLForConditionalGeneration', 'Qwen2_5_VLForConditionalGeneration'],
    modelTypes: ['qwen2_vl', 'qwen2_5_vl'],
    textNaming: asIs,
  },
  { family: qwen3, architectures: ['Qwen3ForCausalLM'], modelTypes: ['qwen3'] },
  {
    family: qwen3,
    architectures: ['Qwen3VLForConditionalGeneration'],
    modelTypes: ['qwen3_vl'],
    textNaming: nested,
  },
  { family: mixtral, architectures: ['MixtralForCausalLM'], modelTypes: ['mixtral'] },
  {
    family: chatglm,
    architectures: ['ChatGLMModel', 'ChatGLMForConditionalGeneration'],
    modelTypes: ['chatglm'],
  },
  { family: glm, architectures: ['GlmForCausalLM'], modelTypes: ['glm'] },
  { family: glm4, architectures: ['Glm4ForCausalLM'], modelTypes: ['glm4'] },
  {
    family: glm4,
    architectures: ['Glm4vForConditionalGeneration'],
    modelTypes: ['glm4v'],
    textNaming: nested,
  },
  {
    family: baichuan,
    architectures: ['BaichuanForCausalLM', 'BaiChuanForCausalLM'],
    modelTypes: ['baichuan'],
  },
  { family: internlm, architectures: ['InternLMForCausalLM'], modelTypes: ['internlm'] },
  { family: internlm2, architectures: ['InternLM2ForCausalLM'], modelTypes: ['internlm2'] },
  { family: phi3, architectures: ['Phi3ForCausalLM'], modelTypes: ['phi3'] },
  { family: gemma, architectures: ['GemmaForCausalLM'], modelTypes: ['gemma'] },
  { family: gemma2, architectures: ['Gemma2ForCausalLM'], modelTypes: ['gemma2'] },
  { family: gemma3, architectures: ['Gemma3ForCausalLM'], modelTypes: ['gemma3_text'] },
  {
    family: gemma3,
    architectures: ['Gemma3ForConditionalGeneration'],
    modelTypes: ['gemma3'],
    textNaming: wrapped,
  },
  { family: granite, architectures: ['GraniteForCausalLM'], modelTypes: ['granite'] },
  { family: olmo2, architectures: ['Olmo2ForCausalLM'], modelTypes: ['olmo2'] },
  { family: olmo3, architectures: ['Olmo3ForCausalLM'], modelTypes: ['olmo3'] },
  { family: starcoder2, architectures: ['Starcoder2ForCausalLM'], modelTypes: ['starcoder2'] },
  { family: gptNeox, architectures: ['GPTNeoXForCausalLM'], modelTypes: ['gpt_neox'] },
  {
    family: falcon,
    architectures: ['FalconForCausalLM', 'RWForCausalLM'],
    modelTypes: ['falcon', 'RefinedWeb', 'RefinedWebModel'],
  },
  { family: cohere, architectures: ['CohereForCausalLM'], modelTypes: ['cohere'] },
  { family: cohere2, architectures: ['Cohere2ForCausalLM'], modelTypes: ['cohere2'] },
  { family: qwen2Moe, architectures: ['Qwen2MoeForCausalLM'], modelTypes: ['qwen2_moe'] },
  { family: qwen3Moe, architectures: ['Qwen3MoeForCausalLM'], modelTypes: ['qwen3_moe'] },
  {
    family: qwen3VlMoe,
    architectures: ['Qwen3VLMoeForConditionalGeneration'],
    modelTypes: ['qwen3_vl_moe'],
    textNaming: nested,
  },
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
    family: qwen35MoeFused,
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
