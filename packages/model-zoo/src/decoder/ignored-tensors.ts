// Tensors that checkpoints of these architectures may hold and that no pass reads.

import type { DecoderConfig } from './decoder-config.js';
import type { TensorNames } from './tensor-names.js';

/** Rotary buffers, saved by old versions of transformers and by ChatGLM; they are recomputed from the config. */
const ROTARY_BUFFER = /\brotary_(pos_)?emb\.(inv_freq|cos_cached|sin_cached)$/;

/** Multi-token-prediction heads, outside or after the numbered layers. */
const PREDICTION_HEAD = /^(model\.)?mtp\./;

/** Tells whether a checkpoint tensor may be left unread. */
export function ignoredTensors(config: DecoderConfig, names: TensorNames): (tensorName: string) => boolean {
  const [layerPrefix = ''] = names.layer.split('{layer}');
  return (tensorName) => {
    if (ROTARY_BUFFER.test(tensorName) || PREDICTION_HEAD.test(tensorName)) return true;
    if (config.tiedHead && tensorName === `${names.head}.weight`) return true;
    if (!tensorName.startsWith(layerPrefix)) return false;
    const layer = /^\d+(?=\.)/.exec(tensorName.slice(layerPrefix.length));
    return layer !== null && Number(layer[0]) >= config.layers;
  };
}
