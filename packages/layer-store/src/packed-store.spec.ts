// Packed weights wherever a weight can stand: in tiles of any size, as parts of fused tensors, as rows of a table, as
// vectors, and whole. The values are those of the tensor in one piece.

import { join } from 'node:path';
import type { WeightRef, WeightSlice } from '@airllm/backend';
import { weightRows } from '@airllm/backend/reference';
import { PACKED_FORMATS, packedTensor, valuesOfRef, type PackedFormat } from '../test/packed-tensors.js';
import { CountingAllocator, createRandom, temporaryFolder, writeContents } from '../test/support.js';
import type { LayerStore } from './layer-store.js';
import { openLayerStore } from './open-layer-store.js';
import { layOutStore, type StoreLayout } from './store-layout.js';

const folder = temporaryFolder();

/** 8-bit blocks of 2048 begin and end within rows of 150 and 4-bit blocks of 64 too. */
const WIDTH = 150;
const FUSED = [4, 12, WIDTH];
const part = (expert: number): WeightRef => ({
  name: `experts[${expert}]`,
  shape: FUSED.slice(1),
  source: { tensor: 'experts', shape: FUSED, start: expert * 12 * WIDTH },
});
const refs = {
  table: { name: 'table', shape: [90, WIDTH] },
  matrix: { name: 'matrix', shape: [70, WIDTH] },
  whole: { name: 'whole', shape: [10, WIDTH], whole: true },
  /** Stored as torch's Conv1d has it. */
  conv: {
    name: 'conv',
    shape: [34, 4],
    source: { tensor: 'conv', shape: [34, 1, 4], start: 0 },
    whole: true,
  },
  vector: { name: 'vector', shape: [WIDTH] },
  /** One norm for each head. */
  norms: { name: 'norms', shape: [6 * 32], source: { tensor: 'norms', shape: [6, 32], start: 0 } },
} satisfies Record<string, WeightRef>;

async function checkpoint(format: PackedFormat, tileBytes: number) {
  const random = createRandom(11);
  const shapes: Record<string, readonly number[]> = { experts: FUSED };
  for (const ref of Object.values<WeightRef>(refs)) shapes[ref.name] = ref.source?.shape ?? ref.shape;
  const packed = Object.entries(shapes).map(([name, shape]) => ({
    name,
    ...packedTensor(format, { name, shape, random }),
  }));
  const contents = packed.flatMap(({ tensors }) => tensors);
  const tensors = await writeContents(join(folder.path, `${format}-${tileBytes}`), contents);
  const { table, matrix, whole, conv, vector, norms } = refs;
  const stages = [
    {
      name: 'layer',
      weights: [vector, matrix, norms, whole, conv],
      experts: [0, 1, 2, 3].map((i) => [part(i)]),
    },
    // A tied head.
    { name: 'head', weights: [table] },
  ];
  const layout = layOutStore({ stages, embedding: table, tensors, tileBytes });
  return {
    layout,
    storedBytes: contents.reduce((sum, { bytes }) => sum + bytes.length, 0),
    valuesOf: (ref: WeightRef): Float32Array => {
      const found = packed.find(({ name }) => name === (ref.source?.tensor ?? ref.name));
      return valuesOfRef(ref, found?.values ?? new Float32Array());
    },
  };
}

const openStore = (layout: StoreLayout): Promise<LayerStore> => {
  const { allocate } = new CountingAllocator();
  return openLayerStore({ layout, budgetBytes: layout.minimumBytes, allocate });
};

function decode(slice: WeightSlice): number[] {
  const valuesOf = weightRows(slice);
  return Array.from({ length: slice.rows }, (_, row) => [...valuesOf(row)]).flat();
}

async function readMatrix(
  store: LayerStore,
  name: string,
): Promise<{ values: number[]; slices: WeightSlice[] }> {
  const values: number[] = [];
  const slices: WeightSlice[] = [];
  for (const block of store.parts(name)) {
    const lease = store.tryAcquire(block.tile) ?? (await store.acquire(block.tile));
    const slice = store.slice(lease, block);
    values.push(...decode(slice));
    slices.push(slice);
    lease.release();
  }
  return { values, slices };
}

describe.each(PACKED_FORMATS)('weights in %s', (format) => {
  it.each([600, 2000, 1 << 20])(
    'have the values of the whole tensor in tiles of %d bytes',
    async (tileBytes) => {
      const { layout, valuesOf } = await checkpoint(format, tileBytes);
      await using store = await openStore(layout);
      for (const ref of [refs.matrix, refs.table, part(3), part(1)]) {
        const { values, slices } = await readMatrix(store, ref.name);
        expect(values).toEqual([...valuesOf(ref)]);
        expect(slices[0]?.packing).toBeDefined();
        if (tileBytes === 600) expect(slices.length).toBeGreaterThan(1);
      }
    },
  );

  it('are read row by row', async () => {
    const { layout, valuesOf } = await checkpoint(format, 4096);
    await using store = await openStore(layout);
    // More than are read at once, out of order, some twice.
    const ids = Array.from({ length: 150 }, (_, i) => (i * 37) % 90);
    const rows: number[][] = [];
    await store.readEmbeddings(ids, async (tables) => {
      rows.push(...tables.map(decode));
    });
    const expected = valuesOf(refs.table);
    expect(rows).toEqual(ids.map((id) => [...expected.subarray(id * WIDTH, (id + 1) * WIDTH)]));
  });

  it.each(['vector', 'norms'] as const)('are float32 as a %s', async (name) => {
    const { layout, valuesOf } = await checkpoint(format, 4096);
    await using store = await openStore(layout);
    const slice = store.vector(name);
    expect(slice).toMatchObject({ dtype: 'f32', rows: 1, cols: refs[name].shape[0] });
    expect(decode(slice)).toEqual([...valuesOf(refs[name])]);
    expect([...store.vectorValues(name)]).toEqual([...valuesOf(refs[name])]);
  });

  it.each(['whole', 'conv'] as const)('are float32 where an op needs all rows: %s', async (name) => {
    const { layout, valuesOf } = await checkpoint(format, 600);
    await using store = await openStore(layout);
    const { values, slices } = await readMatrix(store, name);
    expect(slices).toMatchObject([{ dtype: 'f32', rows: refs[name].shape[0], cols: refs[name].shape[1] }]);
    expect(values).toEqual([...valuesOf(refs[name])]);
  });

  it('are counted with all that stands beside them', async () => {
    const { layout, storedBytes } = await checkpoint(format, 4096);
    // Rows of experts share blocks of factors where these cross them: at most one a boundary, of 4 bytes.
    expect(layout.weightBytes).toBeGreaterThanOrEqual(storedBytes);
    expect(layout.weightBytes).toBeLessThanOrEqual(storedBytes + 3 * 4);
  });
});
