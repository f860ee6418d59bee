// Bounds on what a file may ask for, each several times what the largest published one does.

/**
 * Metadata and tensor table of one file. Largest known: about 12 MB (vocabularies of 262,144 tokens with merges). Parsed
 * values can take some twenty times as much memory (a list of bytes), so this is what bounds it.
 */
export const MAX_HEADER_BYTES = 24_000_000;
/** Largest known: about 60. */
export const MAX_METADATA_KEYS = 4096;
/** Of one file. Largest known: about 2,000 (fused experts); one tensor per expert: under 10,000. */
export const MAX_TENSORS = 2 ** 17;
/** Files of one split model. Largest known: about 150. */
export const MAX_PARTS = 4096;
/** Tensors by Hugging Face name: fused experts count once each. Largest known: about 70,000. */
export const MAX_NAMED_TENSORS = 2 ** 20;
/** Layers, as model definitions bound them. */
export const MAX_LAYERS = 1024;
/** Tokens of a vocabulary. Largest known: 262,144. */
export const MAX_VOCAB_SIZE = 2 ** 20;
/** Bytes of a metadata key, as the format states. */
export const MAX_KEY_LENGTH = 65_535;
/** Characters of a tensor name, as the format states (64 bytes). */
export const MAX_TENSOR_NAME_LENGTH = 64;
/** Dimensions of a tensor (GGML_MAX_DIMS). */
export const MAX_DIMENSIONS = 4;
