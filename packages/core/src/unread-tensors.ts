// What a checkpoint holds that its definition neither reads nor knows to be of no use: a sign that the model is not quite
// what its config says. transformers warns of the same.

import type { ModelDefinition } from '@airllm/model-zoo';

const MAX_NAMES_SHOWN = 5;

/**
 * One line for people, or undefined where every tensor has its place.
 *
 * @param names of the checkpoint's tensors
 * @param read those that weights are made of
 */
export function unreadTensorsNotice(
  names: Iterable<string>,
  read: ReadonlySet<string>,
  definition: Pick<ModelDefinition, 'family' | 'ignores'>,
): string | undefined {
  const unread = [...names].filter((name) => !read.has(name) && !definition.ignores(name));
  if (unread.length === 0) return undefined;
  const shown = unread.slice(0, MAX_NAMES_SHOWN).join(', ');
  const more = unread.length > MAX_NAMES_SHOWN ? ` and ${unread.length - MAX_NAMES_SHOWN} more` : '';
  return `tensors that a ${definition.family} model has no use for are not read: ${shown}${more}. If the model is a variant of its own, its text may differ from the original's`;
}
