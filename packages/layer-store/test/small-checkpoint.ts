// A checkpoint of every kind of weight a store has to place, small enough to compare byte by byte.

import { join } from 'node:path';
import type { WeightRef } from '@airllm/backend';
import { layOutStore, type StageSpec } from '../src/store-layout.js';
import { createRandom, temporaryFolder, writeTensors, type TensorSpec } from './support.js';

const folder = temporaryFolder();
export const VOCAB = 300;
const EXPERTS = 6;

/** Three layers of odd-placed matrices, biases and six experts each, a head, and at the file's end the embedding. */
export const layers = [0, 1, 2];
export const expertRefs = (layer: number): WeightRef[][] =>
  Array.from({ length: EXPERTS }, (_, e) => [
    { name: `l${layer}.e${e}.gate`, shape: [24, 50] },
    { name: `l${layer}.e${e}.up`, shape: [24, 50] },
    { name: `l${layer}.e${e}.down`, shape: [50, 24] },
  ]);
export const dense = (layer: number): WeightRef[] => [
  { name: `l${layer}.norm`, shape: [50] },
  { name: `l${layer}.q`, shape: [130, 50] },
  { name: `l${layer}.bias`, shape: [130] },
  { name: `l${layer}.o`, shape: [50, 130] },
];
const head: WeightRef = { name: 'head', shape: [VOCAB, 50] };
const embedding: WeightRef = { name: 'embedding', shape: [VOCAB, 50] };
const stages = (withExperts: boolean): StageSpec[] => [
  ...layers.map((layer) => ({
    name: `layer ${layer}`,
    weights: dense(layer),
    experts: withExperts ? expertRefs(layer) : undefined,
  })),
  { name: 'head', weights: [head] },
];
const specs: TensorSpec[] = [
  ...layers.flatMap((layer) => [...dense(layer), ...expertRefs(layer).flat()]),
  head,
  embedding,
].map((ref, i) => ({ ...ref, gap: [0, 1, 0, 3001][i % 4] ?? 0, dtype: i % 5 === 0 ? 'F32' : 'BF16' }));

export async function checkpoint(name: string, withExperts = true) {
  const path = join(folder.path, name);
  const written = await writeTensors(path, specs, createRandom(7));
  const layout = layOutStore({
    stages: stages(withExperts),
    embedding,
    tensors: written.tensors,
    tileBytes: 8192,
  });
  return { ...written, path, layout };
}
