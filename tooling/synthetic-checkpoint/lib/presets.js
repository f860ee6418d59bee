// Shapes with the proportions of published models. The name is the size of a bf16 checkpoint, at least and within a fifth.

/** Parameters, in millions, at the end of each line. */
export const PRESETS = {
  '120MB': llama({ hiddenSize: 512, layers: 9, heads: 8, kvHeads: 4, intermediateSize: 1536 }), // 61
  '500MB': llama({ hiddenSize: 1024, layers: 16, heads: 16, kvHeads: 8, intermediateSize: 2816 }), // 254
  // TinyLlama 1.1B with twice its heads of keys and values.
  '2GB': llama({ hiddenSize: 2048, layers: 22, heads: 32, kvHeads: 8, intermediateSize: 5632 }), // 1123
  // Llama 3.2 3B with four layers less and an older vocabulary.
  '5GB': llama({ hiddenSize: 3072, layers: 24, heads: 24, kvHeads: 8, intermediateSize: 8192 }), // 2613
  // Mixtral 8x7B at a quarter of its width.
  'mixtral-2GB': {
    ...llama({ hiddenSize: 1024, layers: 12, heads: 16, kvHeads: 8, intermediateSize: 3584 }), // 1160
    family: 'mixtral',
    experts: 8,
    topK: 2,
  },
};

function llama(sizes) {
  return { family: 'llama', vocabSize: 32000, ...sizes };
}
