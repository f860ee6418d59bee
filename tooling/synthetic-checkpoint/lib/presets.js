// Shapes with the proportions of published models. The name is the size of a bf16 checkpoint, at least and within a fifth.

/** Parameters, in millions, at the end of each line. */
export const PRESETS = {
  '120MB': llama({ hiddenSize: 512, layers: 9, heads: 8, kvHeads: 4, intermediateSize: 1536 }), // 61
  '500MB': llama({ hiddenSize: 1024, layers: 16, heads: 16, kvHeads: 8, intermediateSize: 2816 }), // 254
  // TinyLlama 1.1B with twice its heads of keys and values.
  '2GB': llama({ hiddenSize: 2048, layers: 22, heads: 32, kvHeads: 8, intermediateSize: 5632 }), // 1123
  // Llama 3.2 3B, narrower, with the width of heads it has.
  '3GB': llama({ hiddenSize: 2560, layers: 20, heads: 20, kvHeads: 4, intermediateSize: 6912 }), // 1540
  // Llama 3.2 3B with a layer less and an older vocabulary; 5.4 GiB.
  '5GB': llama({ hiddenSize: 3072, layers: 27, heads: 24, kvHeads: 8, intermediateSize: 8192 }), // 2915
  // Mixtral 8x7B at a quarter of its width.
  'mixtral-2GB': {
    ...llama({ hiddenSize: 1024, layers: 12, heads: 16, kvHeads: 8, intermediateSize: 3584 }), // 1160
    family: 'mixtral',
    experts: 8,
    topK: 2,
  },
  // The same with more of everything but heads: experts of 18.9 MB, 16 to a layer.
  'mixtral-6GB': {
    ...llama({ hiddenSize: 1024, layers: 20, heads: 16, kvHeads: 8, intermediateSize: 3072 }), // 3148
    family: 'mixtral',
    experts: 16,
    topK: 2,
  },
  // The same with embeddings of deviation 4, while what all layers add has one of about 1.5: tokens stay apart, so random ones
  // are routed to experts at random. Above, the layers soon outweigh the token, and few experts of a layer do most of it.
  'mixtral-apart-6GB': {
    ...llama({ hiddenSize: 1024, layers: 20, heads: 16, kvHeads: 8, intermediateSize: 3072 }), // 3148
    family: 'mixtral',
    experts: 16,
    topK: 2,
    embeddingScale: 128,
  },
  // Two layers of Llama 3.1 405B with its embedding and its head.
  '405B-21GB': {
    ...llama({ hiddenSize: 16384, layers: 2, heads: 128, kvHeads: 8, intermediateSize: 53248 }), // 10576
    vocabSize: 128256,
  },
};

function llama(sizes) {
  return { family: 'llama', vocabSize: 32000, ...sizes };
}
