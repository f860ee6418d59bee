// What a stream yields.

/** Why a sequence ended: an end-of-sequence token, a stop string, or the token limit. */
export type FinishReason = 'eos' | 'stop' | 'length';

export interface TokenEvent {
  /** Index of the prompt this token continues. */
  readonly sequence: number;
  readonly tokenId: number;
  /**
   * Text that became certain with this token: empty while a character or a possible stop string is incomplete,
   * or without a decoder. Concatenated over a sequence it is the whole text.
   */
  readonly text: string;
  /** Set on the last token of the sequence. */
  readonly finishReason: FinishReason | undefined;
}
