// Which families there are, and the names configs call them by.

import type { Family } from '../family.js';
import type { TextNaming } from '../text-part.js';
import { chatglm } from './chatglm.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { mixtral } from './mixtral.js';
import { qwen2 } from './qwen2.js';
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
];
