// The text of one sequence as it comes: token ids in, certain text out, ended by stop strings.

import { StopStrings } from './stop-strings.js';
import { StreamDecoder, type TokenDecoder } from './stream-decoder.js';

/** Tokens of the prompt that are decoded with the first new ones, to keep a leading space. */
const CONTEXT_TOKENS = 4;

export interface TextStream {
  push(tokenId: number): { text: string; stopped: boolean };
  /** The rest, when no more tokens come. */
  end(): string;
}

export function createTextStream(
  decoder: TokenDecoder,
  stop: readonly string[],
  promptIds: readonly number[],
): TextStream {
  const pieces = new StreamDecoder(decoder, promptIds.slice(-CONTEXT_TOKENS));
  const stops = new StopStrings(stop);
  return {
    push: (tokenId) => {
      const { text, stoppedBy } = stops.push(pieces.push(tokenId));
      return { text, stopped: stoppedBy !== undefined };
    },
    end: () => {
      const { text, stoppedBy } = stops.push(pieces.flush());
      return stoppedBy === undefined ? text + stops.flush() : text;
    },
  };
}
