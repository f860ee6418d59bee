import { Xoshiro128 } from '../sampling/xoshiro128.js';
import { StopStrings } from './stop-strings.js';

function run(stops: readonly string[], pieces: readonly string[]): { emitted: string[]; stoppedBy?: string } {
  const matcher = new StopStrings(stops);
  const emitted: string[] = [];
  for (const piece of pieces) {
    const { text, stoppedBy } = matcher.push(piece);
    emitted.push(text);
    if (stoppedBy !== undefined) return { emitted, stoppedBy };
  }
  return { emitted: [...emitted, matcher.flush()] };
}

describe('StopStrings', () => {
  it('finds a stop string across pieces, emits what comes before it and not the string', () => {
    expect(run(['\nUser:'], ['Hi.\n', 'Us', 'er', ': x'])).toEqual({
      emitted: ['Hi.', '', '', ''],
      stoppedBy: '\nUser:',
    });
  });

  it('holds back only what could be a beginning, and releases it once decided', () => {
    expect(run(['abc'], ['xa', 'b', 'ab', 'd'])).toEqual({ emitted: ['x', '', 'ab', 'abd', ''] });
  });

  it('emits what is still held back at the end', () => {
    expect(run(['###'], ['a#', '#'])).toEqual({ emitted: ['a', '', '##'] });
  });

  it('finds a stop string that begins inside a failed attempt', () => {
    expect(run(['aab'], ['aaa', 'b']).emitted.join('')).toBe('a');
    expect(run(['abacab'], ['abacabac'.slice(0, 4), 'xabac', 'ab']).emitted.join('')).toBe('abacx');
  });

  it('stops at the string completed first, the longest when two end together', () => {
    expect(run(['abcd', 'bc'], ['abcd'])).toEqual({ emitted: ['a'], stoppedBy: 'bc' });
    expect(run(['c', 'abc'], ['xabc'])).toEqual({ emitted: ['x'], stoppedBy: 'abc' });
  });

  it('passes text through untouched without stop strings', () => {
    expect(run([], ['a', 'b'])).toEqual({ emitted: ['a', 'b', ''] });
  });

  it('gives the same text however it is cut', () => {
    const random = Xoshiro128.fromSeed(11);
    for (let round = 0; round < 500; round++) {
      const text = Array.from({ length: 30 }, () => 'ab\n'[random.nextUint32() % 3]).join('');
      const stops = ['abba', 'b\nb', 'aab\n'];
      const ends = stops
        .map((stop) => text.indexOf(stop) + stop.length)
        .filter((_, i) => text.includes(stops[i] ?? ''));
      const end = Math.min(...ends);
      const stop = stops
        .filter((value) => text.slice(0, end).endsWith(value))
        .sort((a, b) => b.length - a.length)[0];
      const expected = stop === undefined ? text : text.slice(0, end - stop.length);
      const pieces = [...text.matchAll(new RegExp(`[^]{1,${1 + (random.nextUint32() % 4)}}`, 'g'))].map(
        String,
      );
      expect(run(stops, pieces).emitted.join('')).toBe(expected);
    }
  });

  it('refuses an empty stop string', () => {
    expect(() => new StopStrings(['a', ''])).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }));
  });
});
