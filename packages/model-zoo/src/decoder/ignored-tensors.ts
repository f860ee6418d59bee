// Tensors that checkpoints of these architectures may hold and that no pass reads.

import type { DecoderConfig } from './decoder-config.js';

/** Rotary buffers, saved by old versions of transformers and by vendors; they are recomputed from the config. */
const ROTARY_BUFFER = /\brotary_(pos_)?emb\.(inv_freq|cos_cached|sin_cached)$/;

/** Causal masks, saved as buffers by old versions of transformers (GPT-NeoX). */
const MASK_BUFFER = /\.attention\.(bias|masked_bias)$/;

/** Factors of FP8 weights, which are read with their weights, and of activations and caches, which stay in float32. */
const SCALE = /\.(weight_scale|weight_scale_inv|input_scale|input_scale_ub|k_scale|v_scale|q_scale)$/;

/** What packed formats put in place of a weight or beside it: MXFP4, bitsandbytes, GPTQ, AWQ and this project's. */
const PACKED =
  /(_proj_(blocks|scales)|\.(absmax|quant_map|nested_absmax|nested_quant_map|quant_state\.bitsandbytes__(nf4|fp4)|qweight|qzeros|scales|g_idx|8bit\.code|lossless\.(codes|escapes)))$/;

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
  const unused = [ROTARY_BUFFER, MASK_BUFFER, SCALE, PACKED, PREDICTION_HEAD, OTHER_MODALITY];
  return (tensorName) => {
    if (unused.some((pattern) => pattern.test(tensorName))) return true;
    if (tiedHead && tensorName === `${names.head}.weight`) return true;
    if (!tensorName.startsWith(layerPrefix)) return false;
    const layer = /^\d+(?=\.)/.exec(tensorName.slice(layerPrefix.length));
    return layer !== null && Number(layer[0]) >= mixers.length;
  };
}
