// Turns token ids, one at a time, into text that can be shown at once. Owns the two difficulties of that: characters
// whose bytes span tokens, and decoders whose output for a token depends on the tokens before it.

/** The part of a tokenizer this needs; decoding a run of tokens, special tokens left out or not as it likes. */
export interface TokenDecoder {
  decode(ids: readonly number[]): string;
}

/** What decoders put in place of bytes that are no (or not yet) UTF-8. */
const REPLACEMENT = '\uFFFD';

/** An unfinished UTF-8 character has at most 3 bytes, and no token less than one. */
const MAX_UNFINISHED_TOKENS = 3;

/** Tokens held back before they are given up as invalid UTF-8; bounds the cost per token. */
const MAX_PENDING_TOKENS = 16;

/**
 * Incremental decoding with the window of text-generation-inference and vLLM (`prefix_offset`, `read_offset`): the
 * tokens of the last piece are decoded again together with the new ones and what they have in common is cut off, so
 * that a decoder which strips the first space, as SentencePiece's does, strips it once. The cost is linear in the text.
 *
 * The pieces joined are `decoder.decode(all ids)`. No piece has a U+FFFD that the whole text has not.
 *
 * @example
 * const stream = new StreamDecoder(tokenizer);
 * for (const id of ids) process.stdout.write(stream.push(id));
 * process.stdout.write(stream.flush());
 */
export class StreamDecoder {
  /** `[0, readOffset)` has been emitted and is context; the rest is pending. */
  private window: number[];
  private readOffset: number;
  private emittedLength: number;

  /** @param contextIds tokens the text continues (the prompt's last ones), to keep a space that leads it. Default none. */
  constructor(
    private readonly decoder: TokenDecoder,
    contextIds: readonly number[] = [],
  ) {
    this.window = [...contextIds];
    this.readOffset = this.window.length;
    this.emittedLength = this.decode(this.readOffset).length;
  }

  /** Adds a token; returns the text that is certain now, often none. */
  push(id: number): string {
    this.window.push(id);
    const text = this.decode(this.window.length);
    const grown = text.length > this.emittedLength;
    if (grown && !text.endsWith(REPLACEMENT)) return this.emit(text, this.window.length);
    if (this.window.length - this.readOffset < MAX_PENDING_TOKENS) return '';
    if (!grown) {
      // A run of tokens without text (special ones). The first may be a space that the decoder strips: it stays.
      this.window.length = this.readOffset + 1;
      return '';
    }
    // Too long for an unfinished character: all but the last few tokens are decided.
    const end = this.window.length - MAX_UNFINISHED_TOKENS;
    return this.emit(this.decode(end), end);
  }

  /** The rest, unfinished characters included, when no more tokens come. */
  flush(): string {
    return this.emit(this.decode(this.window.length), this.window.length);
  }

  /** @param text of `window[0, end)` */
  private emit(text: string, end: number): string {
    const piece = text.slice(this.emittedLength);
    const lastRead = this.window.slice(this.readOffset, end);
    // Context that decodes to nothing (a stripped space, a byte order mark) would not keep the next space from being
    // stripped: then the older context stays in front of it.
    const alone = lastRead.length === 0 ? '' : this.decoder.decode(lastRead);
    if (alone !== '' || end >= MAX_PENDING_TOKENS) {
      this.window = this.window.slice(this.readOffset);
      this.readOffset = lastRead.length;
      this.emittedLength = alone.length;
    } else {
      this.readOffset = end;
      this.emittedLength = text.length;
    }
    return piece;
  }

  private decode(end: number): string {
    return end === 0 ? '' : this.decoder.decode(this.window.slice(0, end));
  }
}
