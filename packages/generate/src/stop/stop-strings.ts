// Ends streamed text at the first stop string. Stop strings may span any number of pieces, so text that could be the
// beginning of one is held back until the next piece decides. The stop string itself is never emitted.

import { GenerateError } from '../errors.js';

export interface StopResult {
  /** Text that is now certain to come before any stop string. */
  readonly text: string;
  /** The stop string that was found, if one was; nothing after it is read. */
  readonly stoppedBy?: string;
}

/**
 * The first stop string to be *completed* ends the text, the longest if two end together; so the outcome does not
 * depend on how the text is cut into pieces. Knuth–Morris–Pratt per stop string: linear in the text.
 *
 * @example
 * const stops = new StopStrings(['\nUser:']);
 * for (const piece of pieces) { const { text, stoppedBy } = stops.push(piece); emit(text); if (stoppedBy) break; }
 * emit(stops.flush());
 */
export class StopStrings {
  private readonly patterns: { readonly value: string; readonly borders: Int32Array; matched: number }[];
  private held = '';
  private stoppedBy: string | undefined;

  /** @throws {@link GenerateError} `INVALID_OPTION` for an empty stop string */
  constructor(values: readonly string[]) {
    this.patterns = values.map((value: unknown) => {
      if (typeof value !== 'string' || value === '') {
        const expected = 'non-empty strings';
        throw new GenerateError(
          'INVALID_OPTION',
          `Expected ${expected} for stopStrings but received ${JSON.stringify(value) ?? 'undefined'}.`,
          { fields: { option: 'stopStrings', expected, found: value } },
        );
      }
      return { value, borders: borderLengths(value), matched: 0 };
    });
  }

  /** Takes the next piece of text; after a stop string was found, swallows everything. */
  push(piece: string): StopResult {
    if (this.stoppedBy !== undefined) return { text: '', stoppedBy: this.stoppedBy };
    const text = this.held + piece;
    for (let i = this.held.length; i < text.length; i++) {
      const stop = this.advance(text.charCodeAt(i));
      if (stop === undefined) continue;
      this.stoppedBy = stop;
      this.held = '';
      return { text: text.slice(0, i + 1 - stop.length), stoppedBy: stop };
    }
    const certain = text.length - Math.max(0, ...this.patterns.map((pattern) => pattern.matched));
    this.held = text.slice(certain);
    return { text: text.slice(0, certain) };
  }

  /** What is held back when no more text comes. */
  flush(): string {
    const rest = this.held;
    this.held = '';
    for (const pattern of this.patterns) pattern.matched = 0;
    return rest;
  }

  /** Reads one UTF-16 unit; the longest stop string that it completes, if any. */
  private advance(unit: number): string | undefined {
    let stop: string | undefined;
    for (const pattern of this.patterns) {
      const { value, borders } = pattern;
      let matched = pattern.matched;
      while (matched > 0 && value.charCodeAt(matched) !== unit) matched = borders[matched - 1] ?? 0;
      if (value.charCodeAt(matched) === unit) matched++;
      pattern.matched = matched;
      if (matched === value.length && value.length > (stop?.length ?? 0)) stop = value;
    }
    return stop;
  }
}

/** For each prefix of `value`, the length of its longest proper prefix that is also its suffix. */
function borderLengths(value: string): Int32Array {
  const borders = new Int32Array(value.length);
  let length = 0;
  for (let i = 1; i < value.length; i++) {
    while (length > 0 && value.charCodeAt(i) !== value.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (value.charCodeAt(i) === value.charCodeAt(length)) length++;
    borders[i] = length;
  }
  return borders;
}
