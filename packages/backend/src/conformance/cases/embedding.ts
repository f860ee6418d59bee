// embedding: rows of a table, every dtype, every bit pattern.

import { DTYPES, type ElementDType } from '../../dtype.js';
import { compareWithReference, type Scenario } from '../compare-with-reference.js';
import type { ConformanceCase } from '../conformance-case.js';
import { Random } from '../random.js';
import { EXACT } from '../tolerances.js';

export function embeddingCases(): ConformanceCase[] {
  return [
    ...DTYPES.map((dtype): ConformanceCase => ({
      name: `embedding ${dtype}`,
      op: 'embedding',
      dtype,
      group: 'accuracy',
      tolerance: EXACT,
      run: (backend) =>
        compareWithReference(
          backend,
          [1, 7, 16, 33, 100].flatMap((cols) => [0, 1, 3].map((offset) => scenario(dtype, cols, offset))),
        ),
    })),
    ...(['f16', 'bf16', 'f8e4m3'] as const).map((dtype): ConformanceCase => ({
      name: `embedding ${dtype} of every finite bit pattern`,
      op: 'embedding',
      dtype,
      group: 'accuracy',
      tolerance: EXACT,
      run: (backend) =>
        compareWithReference(backend, [dtype === 'f8e4m3' ? everyByte() : everyBitPattern(dtype)]),
    })),
  ];
}

function scenario(dtype: ElementDType, cols: number, byteOffset: number): Scenario {
  const ids = Uint32Array.of(12, 0, 3, 3, 7);
  return {
    label: `[13, ${cols}] at byte ${byteOffset}`,
    outputs: (bench) => {
      const data = new Random(cols).normals(13 * cols);
      const table = bench.weight(dtype, [13, cols], { data, byteOffset });
      const out = bench.tensor(ids.length, cols, { padding: 3 });
      return bench.run([{ op: 'embedding', table, ids, out }], [out]);
    },
  };
}

/** Patterns with all exponent bits set are infinite or not a number: replaced by zero. */
function everyBitPattern(dtype: 'f16' | 'bf16'): Scenario {
  const exponentMask = dtype === 'f16' ? 0x7c00 : 0x7f80;
  return {
    label: 'table [256, 256]',
    outputs: (bench) => {
      const bytes = new Uint8Array(0x20000);
      const view = new DataView(bytes.buffer);
      for (let bits = 0; bits < 0x10000; bits++) {
        view.setUint16(2 * bits, (bits & exponentMask) === exponentMask ? 0 : bits, true);
      }
      const table = bench.weightOfBytes(dtype, [256, 256], { bytes });
      const out = bench.tensor(256, 256);
      return bench.run(
        [{ op: 'embedding', table, ids: Uint32Array.from({ length: 256 }, (_, i) => i), out }],
        [out],
      );
    },
  };
}

/** 0x7f and 0xff are no numbers: replaced by zero. A row for each scale. */
function everyByte(): Scenario {
  return {
    label: 'table [3, 256]',
    outputs: (bench) => {
      const row = Array.from({ length: 256 }, (_, bits) => ((bits & 0x7f) === 0x7f ? 0 : bits));
      const table = bench.weightOfBytes('f8e4m3', [3, 256], { bytes: Uint8Array.of(...row, ...row, ...row) });
      const scales = bench.weight('f32', [3, 1], { data: Float32Array.of(1, -0.3, 1e-5) });
      const { memory, byteOffset } = scales;
      const grid = { memory, byteOffset, cols: 1, blockRows: 1, blockCols: 256, firstRow: 0 };
      const out = bench.tensor(3, 256);
      return bench.run(
        [{ op: 'embedding', table: { ...table, scales: grid }, ids: Uint32Array.of(0, 1, 2), out }],
        [out],
      );
    },
  };
}
