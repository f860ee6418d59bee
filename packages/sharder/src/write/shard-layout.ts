// Where everything lies in a file of shards: the header, then each tensor, or the planes it is encoded to, in order.

import { encodedPlanes, type Encoder } from '@airllm/quantizer';
import { serializeHeader } from 'safetensors-js';
import { PAGE_BYTES } from '../io/aligned-pool.js';
import { isSourceDType } from '../plan/choose-format.js';
import type { PlannedTensor } from '../plan/plan-schema.js';
import { toSpec, type SizedSpec } from '../plan/tensor-spec.js';

export interface ShardLayout {
  /** Its length is a multiple of a page, so that the data starts on one. */
  readonly header: Uint8Array;
  readonly fileBytes: number;
  /** For each tensor, the offsets of its planes in the file; one of a tensor that stays as it is. */
  readonly offsets: ReadonlyMap<string, readonly number[]>;
}

/** @param surveyed Encoders whose planes follow from the values, by tensor. */
export function layOutShard(
  tensors: readonly PlannedTensor[],
  surveyed: ReadonlyMap<string, Encoder>,
  doubleQuantization: boolean,
): ShardLayout {
  const specs = tensors.map((tensor) => specsOf(tensor, surveyed.get(tensor.name), doubleQuantization));
  const header = serializeHeader(specs.flat(), { alignData: PAGE_BYTES, metadata: { format: 'pt' } });
  const offsets = new Map<string, number[]>();
  let end = header.length;
  tensors.forEach(({ name }, i) => {
    const planes = (specs[i] ?? []).map(({ byteLength }) => (end += byteLength) - byteLength);
    offsets.set(name, planes);
  });
  return { header, fileBytes: end, offsets };
}

function specsOf(
  tensor: PlannedTensor,
  surveyed: Encoder | undefined,
  doubleQuantization: boolean,
): SizedSpec[] {
  const { name, dtype, shape, format } = tensor;
  if (surveyed) return surveyed.planes.map(toSpec);
  // Without a survey `lossless` keeps a tensor as it is.
  if (format === 'none' || format === 'lossless' || !isSourceDType(dtype)) return [toSpec(tensor)];
  return encodedPlanes({ name, dtype, shape, format, ...(format === '4bit' && { doubleQuantization }) }).map(
    toSpec,
  );
}
