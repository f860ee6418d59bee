import { JsonDecimal, parseStrictJson, type StrictJson } from './strict-json.js';
import { SafetensorsError } from './safetensors-error.js';

/** The plain values `JSON.parse` would give. */
function toPlain(value: StrictJson): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([k, v]) => [k, toPlain(v as StrictJson)]));
  if (Array.isArray(value)) return (value as StrictJson[]).map(toPlain);
  if (value instanceof JsonDecimal) return Number(value.literal);
  return typeof value === 'bigint' ? Number(value) : value;
}

describe('parseStrictJson', () => {
  it.each([
    '{}',
    '[]',
    ' [ 1 , -2 , 0.5 , 1e3 , 9007199254740993 ] ',
    '{"a":{"b":[true,false,null,""]},"c":"\\u00e9\\n\\"\\\\\\/"}',
    '"\\ud83d\\ude00 😀"',
    '{"":0,"a b":{}}',
  ])('agrees with JSON.parse: %s', (text) => {
    expect(toPlain(parseStrictJson(text))).toEqual(JSON.parse(text));
  });

  it.each([
    '{"a":1,}',
    '[1,]',
    '[,1]',
    '{a:1}',
    "{'a':1}",
    '01',
    '+1',
    '.5',
    '1.',
    '1e',
    'NaN',
    'Infinity',
    'tru',
    '"\\x"',
    '"\\u12"',
    '"',
    '"\\',
    '"a\nb"',
    '[1 2]',
    '{"a" 1}',
    '{} {}',
    '\u00a0{}',
    '// c\n{}',
  ])('refuses, as JSON.parse does: %j', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
    expect(() => parseStrictJson(text)).toThrow(SafetensorsError);
  });

  it('tells integers from decimals and keeps large ones exact', () => {
    expect(parseStrictJson('9007199254740991')).toBe(2 ** 53 - 1);
    expect(parseStrictJson('9007199254740993')).toBe(9007199254740993n);
    expect(parseStrictJson('1.0')).toEqual(new JsonDecimal('1.0'));
    expect(parseStrictJson('-0')).toEqual(new JsonDecimal('-0'));
  });

  it('takes a million digits without calculating with them', () => {
    expect(parseStrictJson('9'.repeat(1_000_000))).toBeInstanceOf(JsonDecimal);
  });
});
