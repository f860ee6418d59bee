// Packed bytes and their values as gguf-py, transformers, bitsandbytes and the published layouts have them
// (fixtures/make-packed-formats.py), bit for bit.

import { readFileSync } from 'node:fs';
import { onBench } from '../../conformance/compare-with-reference.js';
import type { Workbench } from '../../conformance/workbench.js';
import type { PackedDType } from '../../dtype.js';
import type { WeightPacking, WeightSpan } from '../../packing.js';
import { createReferenceBackend } from '../index.js';

interface Fixture {
  readonly shape: readonly [number, number];
  readonly packed: string;
  readonly values: string;
  readonly codes: string;
  readonly absmax: string;
  readonly nestedCodes: string;
  readonly nestedAbsmax: string;
  readonly offset: number;
  readonly scales: string;
  readonly zeros: string;
  readonly groupRows: number;
  readonly groupCols: number;
  readonly planes: string;
  readonly escapes: string;
  readonly escapeBytes: number;
}

const path = new URL('../../../fixtures/packed-formats.json', import.meta.url);
const fixtures = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Fixture>;

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));

type SpanOf = (text: string) => WeightSpan;

const codesIn = (kind: 'code4' | 'code8', blockLength: number) => (fixture: Fixture, span: SpanOf) =>
  ({
    kind,
    codes: span(fixture.codes),
    blockLength,
    first: 0,
    absmax: span(fixture.absmax),
    nested: undefined,
  }) as const;
const codes = codesIn('code4', 64);

const integers = (kind: 'int8' | 'int4') => (fixture: Fixture, span: SpanOf) =>
  ({ kind, scales: span(fixture.scales), groupCols: fixture.groupCols }) as const;

const groups = (kind: 'gptq4' | 'awq4') => (fixture: Fixture, span: SpanOf) =>
  ({
    kind,
    scales: span(fixture.scales),
    scaleDType: 'f16',
    zeros: span(fixture.zeros),
    groupRows: fixture.groupRows,
  }) as const;

const FORMATS: readonly [
  string,
  PackedDType,
  ((fixture: Fixture, span: SpanOf) => WeightPacking) | undefined,
][] = [
  ['q8_0', 'q8_0', undefined],
  ['q4_0', 'q4_0', undefined],
  ['q4_k', 'q4_k', undefined],
  ['q6_k', 'q6_k', undefined],
  ['mxfp4', 'mxfp4', ({ scales }, span) => ({ kind: 'mxfp4', scales: span(scales) })],
  ['nf4', 'code4', codes],
  ['fp4', 'code4', codes],
  [
    'nf4-nested',
    'code4',
    (fixture, span) => ({
      ...codes(fixture, span),
      nested: {
        codes: span(fixture.nestedCodes),
        absmax: span(fixture.nestedAbsmax),
        blockLength: 256,
        offset: fixture.offset,
        first: 0,
      },
    }),
  ],
  ['nf4-ragged', 'code4', codes],
  ['dynamic8', 'code8', codesIn('code8', 2048)],
  ['int8', 'int8', integers('int8')],
  ['int4', 'int4', integers('int4')],
  [
    'bf16z',
    'bf16z',
    ({ planes, escapes, escapeBytes }, span) => ({
      kind: 'bf16z',
      codes: span(planes),
      escapes: span(escapes),
      escapeBytes,
    }),
  ],
  ['gptq4', 'gptq4', groups('gptq4')],
  ['awq4', 'awq4', groups('awq4')],
];

it.each(FORMATS)('%s', async (name, dtype, packingOf) => {
  const fixture = fixtures[name] as Fixture;
  const [rows, cols] = fixture.shape;
  await using backend = createReferenceBackend();
  const values = await onBench(backend, (bench: Workbench) => {
    const span: SpanOf = (text) =>
      bench.weightOfBytes('f32', [1, 1], { bytes: bytesOf(text), byteOffset: 3 });
    const table = {
      ...bench.weightOfBytes(dtype, fixture.shape, { bytes: bytesOf(fixture.packed), byteOffset: 1 }),
      ...(packingOf && { packing: packingOf(fixture, span) }),
    };
    const out = bench.tensor(rows, cols);
    const ids = Uint32Array.from({ length: rows }, (_, i) => i);
    return bench.run([{ op: 'embedding', table, ids, out }], [out]);
  });
  expect(values).toEqual(new Float32Array(bytesOf(fixture.values).buffer));
});
