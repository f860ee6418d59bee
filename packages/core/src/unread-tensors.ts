// What a checkpoint holds that its definition neither reads nor knows to be of no use: a sign that the model is not quite
// what its config says. transformers warns of the same.

import type { Checkpoint } from '@airllm/checkpoint';
import { listWeights, type ModelDefinition } from '@airllm/model-zoo';

const MAX_NAMES_SHOWN = 5;

/** One line for people, or undefined where every tensor has its place. */
export function unreadTensorsNotice(
  { tensors }: Pick<Checkpoint, 'tensors'>,
  definition: ModelDefinition,
): string | undefined {
  const { embedding, stages } = listWeights(definition);
  const weights = [
    embedding,
    ...stages.flatMap(({ weights: dense, experts = [] }) => [...dense, ...experts.flat()]),
  ];
  const read = new Set(weights.map(({ name, source }) => source?.tensor ?? name));
  const unread = [...tensors.keys()].filter((name) => !read.has(name) && !definition.ignores(name));
  if (unread.length === 0) return undefined;
  const shown = unread.slice(0, MAX_NAMES_SHOWN).join(', ');
  const more = unread.length > MAX_NAMES_SHOWN ? ` and ${unread.length - MAX_NAMES_SHOWN} more` : '';
  return `tensors that a ${definition.family} model has no use for are not read: ${shown}${more}. If the model is a variant of its own, its text may differ from the original's`;
}
