// Makes the encoder of a tensor: options checked, format chosen.

import { encodedPlanes } from './encoded-plane.js';
import { CodeWriter } from './encode/code-writer.js';
import { IntegerWriter } from './encode/integer-writer.js';
import { LosslessWriter } from './encode/lossless-writer.js';
import { PlainWriter } from './encode/plain-writer.js';
import type { PlaneWriter } from './encode/plane-writer.js';
import { StreamEncoder } from './encode/stream-encoder.js';
import type { Encoder, EncoderOptions } from './encoder.js';
import { QuantizerError } from './errors.js';
import { FORMATS, SOURCE_DTYPES, type Format } from './format.js';
import { losslessCanShrink } from './lossless-planes.js';
import { matrixShapeOf } from './matrix-shape.js';
import { openKernels } from './open-kernels.js';

/**
 * An encoder for one tensor.
 *
 * @throws QuantizerError `INVALID_OPTION`, `UNSUPPORTED_DTYPE`, `UNSUPPORTED_SHAPE`
 * @example
 * const encoder = await createEncoder({ name: 'w', dtype: 'BF16', shape: [4096, 4096], format: '4bit' });
 * for await (const chunk of chunks) for (const part of await encoder.encode(chunk)) await write(part);
 * for (const part of await encoder.finish()) await write(part);
 */
export async function createEncoder(options: EncoderOptions): Promise<Encoder> {
  checkOptions(options);
  const { threads, kernels = openKernels({ threads }) } = options;
  return new StreamEncoder(createWriter({ ...options, kernels }), { ...options, kernels });
}

function createWriter(options: EncoderOptions & Required<Pick<EncoderOptions, 'kernels'>>): PlaneWriter {
  const { name, shape, format, kernels } = options;
  switch (format) {
    case '4bit':
    case '8bit':
      return new CodeWriter({ ...options, format }, encodedPlanes({ ...options, format }), kernels);
    case 'int8':
    case 'int4':
      return new IntegerWriter({ ...options, format }, encodedPlanes({ ...options, format }), kernels);
    case 'lossless': {
      const { rows, cols } = matrixShapeOf(name, shape);
      return losslessCanShrink({ rows, cols })
        ? new LosslessWriter(options, kernels)
        : new PlainWriter(options);
    }
  }
}

function checkOptions(options: EncoderOptions): void {
  const { name, format, dtype, shape, doubleQuantization = false, nonFinite = 'refuse' } = options;
  expectOneOf<Format>('format', FORMATS, format);
  expectOneOf('nonFinite', ['refuse', 'keep'] as const, nonFinite);
  if (doubleQuantization && format !== '4bit') {
    throw invalidOption('doubleQuantization', doubleQuantization, `false for ${format}: only 4bit has it`);
  }
  if (doubleQuantization && nonFinite === 'keep') {
    throw invalidOption(
      'nonFinite',
      nonFinite,
      'refuse with doubleQuantization: one NaN would reach every factor through their mean',
    );
  }
  const allowed = format === 'lossless' ? (['BF16'] as const) : SOURCE_DTYPES;
  if (!allowed.some((known) => known === dtype)) {
    throw new QuantizerError(
      'UNSUPPORTED_DTYPE',
      `Expected ${name} to be ${allowed.join(', ')} for ${format} but received ${dtype}; leave this tensor as it is`,
      { fields: { tensor: name, dtype, format } },
    );
  }
  matrixShapeOf(name, shape);
}

function expectOneOf<T extends string>(option: string, allowed: readonly T[], value: T): void {
  if (!allowed.includes(value)) throw invalidOption(option, value, `one of ${allowed.join(', ')}`);
}

function invalidOption(option: string, value: unknown, expected: string): QuantizerError {
  return new QuantizerError(
    'INVALID_OPTION',
    `Expected ${option} to be ${expected} but received ${String(value)}`,
    {
      fields: { option, value },
    },
  );
}
