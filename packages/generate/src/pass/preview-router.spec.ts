import { Recorder, type Program } from '@airllm/backend';
import { PLAIN_ROUTING } from '../../test/routing-rule.js';
import { PreviewRecord } from './preview-record.js';
import { PREVIEW_ROWS, previewElements, previewRouter } from './preview-router.js';

const HIDDEN = 8;
const EXPERTS = 4;

/** A layer that adds a mixture to the hidden state; `shift` elements of other state lie before it. */
function recordMixture(layer: number, { rows = 1, shift = 0 } = {}): Program {
  const rec = new Recorder();
  if (shift > 0) rec.input(1, shift);
  const hidden = rec.input(rows, HIDDEN);
  const normed = rec.rmsNorm(hidden, { weight: { name: `norm${layer}`, shape: [HIDDEN] }, eps: 1e-5 });
  const logits = rec.linear(normed, { name: `router${layer}`, shape: [EXPERTS, HIDDEN] });
  const out = rec.experts(normed, logits, {
    routing: { ...PLAIN_ROUTING, topK: 2 },
    count: EXPERTS,
    record: (own, input, e) => own.linear(input, { name: `expert${layer}.${e}`, shape: [HIDDEN, HIDDEN] }),
  });
  rec.accumulate(hidden, out);
  return rec.finish();
}

function recordDense(): Program {
  const rec = new Recorder();
  const hidden = rec.input(1, HIDDEN);
  rec.accumulate(hidden, rec.linear(hidden, { name: 'dense', shape: [HIDDEN, HIDDEN] }));
  return rec.finish();
}

describe('previewRouter', () => {
  it('is norm and router of the next layer, on the hidden state of this one', () => {
    const [layer, next] = [recordMixture(3), recordMixture(4)];
    const room = previewElements(HIDDEN, EXPERTS);
    const preview = previewRouter(layer, next, layer.arenaElements + room);
    expect(preview?.norm).toMatchObject({ op: 'rmsNorm', weight: { name: 'norm4' } });
    expect(preview?.norm.x.offset).toBe(0);
    expect(preview?.router).toMatchObject({ op: 'linear', weight: { name: 'router4' } });
    expect(preview?.router.x.offset).toBe(preview?.norm.out.offset);
    expect(preview?.mixture.record(2).commands[0]).toMatchObject({ weight: { name: 'expert4.2' } });
  });

  it('writes behind what the layer uses, within its room, for as many rows as it is for', () => {
    const rows = PREVIEW_ROWS;
    const [layer, next] = [recordMixture(0, { rows }), recordMixture(1, { rows })];
    const end = layer.arenaElements + previewElements(HIDDEN, EXPERTS);
    const preview = previewRouter(layer, next, end);
    expect(preview?.norm.out.offset).toBe(layer.arenaElements);
    // 4 · 8 and 4 · 4 values: each begins at a multiple of 16.
    expect(preview?.router.out.offset).toBe(layer.arenaElements + 32);
    expect(end).toBe(layer.arenaElements + 32 + 16);
  });

  it.each([
    ['this layer has no mixture', recordDense(), recordMixture(1)],
    ['the next one has none', recordMixture(0), recordDense()],
    ['they begin from different places', recordMixture(0), recordMixture(1, { shift: 16 })],
    ['there are many rows', recordMixture(0, { rows: 5 }), recordMixture(1, { rows: 5 })],
  ])('is not there where %s', (_, layer, next) => {
    expect(previewRouter(layer, next, 4096)).toBeUndefined();
  });
});

describe('PreviewRecord', () => {
  it('trusts previews until 64 experts were judged, and then those right half of the time', () => {
    const record = new PreviewRecord();
    for (let i = 0; i < 31; i++) record.judge(new Set([0, 1]), [2, 3]);
    expect(record.isTrusted).toBe(true);
    record.judge(new Set([0, 1]), [2, 3]);
    expect(record.isTrusted).toBe(false);
    for (let i = 0; i < 32; i++) record.judge(new Set([0, 1]), [1, 0]);
    expect(record.isTrusted).toBe(true);
  });
});
