// Tensors that checkpoints of these architectures may hold and that no pass reads.

import type { DecoderConfig } from './decoder-config.js';

/** Rotary buffers, saved by old versions of transformers and by vendors; they are recomputed from the config. */
const ROTARY_BUFFER = /\brotary_(pos_)?emb\.(inv_freq|cos_cached|sin_cached)$/;

/** Causal masks, saved as buffers by old versions of transformers (GPT-NeoX). */
const MASK_BUFFER = /\.attention\.(bias|masked_bias)$/;

/** Factors of activations and caches, which stay in float32. */
const SCALE = /\.(input_scale|input_scale_ub|k_scale|v_scale|q_scale)$/;

/** Multi-token-prediction heads, outside or after the numbered layers. */
const PREDICTION_HEAD = /^(model\.)?(language_model\.)?mtp\./;

/** The parts of multimodal models that do not read or write text. */
const OTHER_MODALITY =
  /^(model\.|transformer\.)?(vision_tower|vision_model|visual|multi_modal_projector|audio_tower|embed_vision|embed_audio)\./;

/** Tells whether a checkpoint tensor may be left unread. */
export function ignoredTensors({
  names,
  mixers,
  tiedHead,
}: Pick<DecoderConfig, 'names' | 'mixers' | 'tiedHead'>): (tensorName: string) => boolean {
  const [layerPrefix = ''] = names.layer.split('{layer}');
  const unused = [ROTARY_BUFFER, MASK_BUFFER, SCALE, PREDICTION_HEAD, OTHER_MODALITY];
  return (tensorName) => {
    if (unused.some((pattern) => pattern.test(tensorName))) return true;
    if (tiedHead && tensorName === `${names.head}.weight`) return true;
    if (!tensorName.startsWith(layerPrefix)) return false;
    const layer = /^\d+(?=\.)/.exec(tensorName.slice(layerPrefix.length));
    return layer !== null && Number(layer[0]) >= mixers.length;
  };
}
