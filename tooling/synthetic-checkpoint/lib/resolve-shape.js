// Applies defaults to a shape and refuses sizes that no model could have.

const FAMILIES = ['llama', 'qwen3', 'mixtral'];
const SIZES = ['hiddenSize', 'layers', 'heads', 'kvHeads', 'headDim', 'intermediateSize', 'vocabSize'];

/** The shape with every field set; `experts` is 0 where there are none. */
export function resolveShape(shape) {
  const family = shape.family ?? 'llama';
  if (!FAMILIES.includes(family)) {
    throw new RangeError(`Expected family to be ${FAMILIES.join(', ')} but received ${family}`);
  }
  const resolved = {
    family,
    hiddenSize: shape.hiddenSize,
    layers: shape.layers,
    heads: shape.heads,
    kvHeads: shape.kvHeads,
    headDim: shape.headDim ?? shape.hiddenSize / shape.heads,
    intermediateSize: shape.intermediateSize,
    vocabSize: shape.vocabSize,
    experts: shape.experts ?? 0,
    topK: shape.topK ?? 2,
    tied: shape.tied ?? false,
    embeddingScale: shape.embeddingScale ?? 1,
  };
  for (const size of [...SIZES, 'embeddingScale']) expectPositiveInteger(size, resolved[size]);
  expectRule(resolved.heads % resolved.kvHeads === 0, 'kvHeads that divide heads', resolved);
  expectRule(resolved.headDim % 2 === 0, 'an even headDim', resolved);
  if (family === 'mixtral') {
    for (const size of ['experts', 'topK']) expectPositiveInteger(size, resolved[size]);
    expectRule(resolved.topK <= resolved.experts, 'topK ≤ experts', resolved);
  } else {
    expectRule(resolved.experts === 0, 'no experts outside the mixtral family', resolved);
  }
  return resolved;
}

export function expectPositiveInteger(name, value) {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`Expected ${name} to be a positive integer but received ${value}`);
  }
}

function expectRule(holds, rule, shape) {
  if (!holds) throw new RangeError(`Expected ${rule} but received ${JSON.stringify(shape)}`);
}
