// The tokens put around every text (BOS, EOS, a family's prefix) as a post-processor.

import type { StepJson } from './tokenizer-json.js';

export interface TokenWithId {
  readonly content: string;
  readonly id: number;
}

/** A TemplateProcessing step, or null when nothing is added. */
export function surroundingTokens(
  before: readonly TokenWithId[],
  after: readonly TokenWithId[],
): StepJson | null {
  if (before.length + after.length === 0) return null;
  const special = ({ content }: TokenWithId, typeId: number) => ({
    SpecialToken: { id: content, type_id: typeId },
  });
  const around = (name: 'A' | 'B', typeId: number) => [
    ...before.map((token) => special(token, typeId)),
    { Sequence: { id: name, type_id: typeId } },
    ...after.map((token) => special(token, typeId)),
  ];
  const used = [...before, ...after].map(({ content, id }) => [
    content,
    { id: content, ids: [id], tokens: [content] },
  ]);
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(used) as unknown,
  };
}
