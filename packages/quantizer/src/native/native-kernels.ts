// The formats through the addon.

import { DYNAMIC_MAP, NF4_MAP } from '../code-maps.js';
import { bytesPerElement, BLOCK_LENGTH_4BIT, BLOCK_LENGTH_8BIT } from '../format.js';
import type { EncodeResult, Kernels } from '../kernels.js';
import { DTYPE_NUMBERS, loadBinding, type InstructionSet, type SumsArray } from './binding.js';

/**
 * Kernels on `threads` threads of their own, which end with the process or when the object is collected.
 *
 * @throws NativeAddonError of `@airllm/native` when the addon does not load; an error with `code` INVALID_OPTION when
 * this machine lacks the instruction set.
 */
export function createNativeKernels(
  instructionSet: InstructionSet,
  { threads, background }: { threads: number; background: boolean },
): Kernels {
  const { Quantizer } = loadBinding();
  const native = new Quantizer(instructionSet, threads, NF4_MAP, DYNAMIC_MAP, background);
  return {
    isNative: true,
    description: `native ${native.instructionSet}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,

    encodeCodes: async (format, { bytes, dtype }, { codes, absmax }) => {
      const [bits, block] =
        format === '4bit' ? ([4, BLOCK_LENGTH_4BIT] as const) : ([8, BLOCK_LENGTH_8BIT] as const);
      const elements = bytes.length / bytesPerElement(dtype);
      return sumsOf(
        await native.encodeCodes(bits, DTYPE_NUMBERS[dtype], block, elements, bytes, codes, absmax),
      );
    },

    encodeFactors: async (absmax, to) => {
      const { firstNonFinite: offset, ...sums } = sumsOf(
        await native.encodeFactors(absmax.length, absmax, to.codes, to.absmax),
      );
      return { ...sums, offset };
    },

    decodeCodes: async ({ codes, map, absmax, blockLength, offset }, to) => {
      const added = offset === undefined ? undefined : Float32Array.of(offset);
      await native.decodeCodes(blockLength, to.length, codes, map, absmax, added, to);
    },

    encodeIntegers: async (format, { bytes, dtype }, { rows, cols }, { codes, scales }) =>
      sumsOf(
        await native.encodeIntegers(bitsOf(format), DTYPE_NUMBERS[dtype], rows, cols, bytes, codes, scales),
      ),

    decodeIntegers: async (format, { codes, scales }, { rows, cols }, to) => {
      await native.decodeIntegers(bitsOf(format), rows, cols, codes, scales, to);
    },

    surveyLossless: async (source, { rows, cols }, bases) => {
      const [capacity = 0, firstNonFinite = -1] = await native.surveyLossless(rows, cols, source, bases);
      return { capacity, firstNonFinite };
    },

    encodeLossless: async (source, { rows, cols }, bases, { bytes, codes, escapes }) => {
      const escapeBytes = escapes.length / rows;
      const [good] = await native.encodeLossless(
        rows,
        cols,
        escapeBytes,
        source,
        bytes,
        codes,
        escapes,
        bases,
      );
      return good === 1;
    },

    decodeLossless: async ({ bytes, codes, escapes }, { rows, cols }, to) => {
      const [good] = await native.decodeLossless(
        rows,
        cols,
        escapes.length / rows,
        to,
        bytes,
        codes,
        escapes,
      );
      return good === 1;
    },
  };
}

function bitsOf(format: 'int8' | 'int4'): 4 | 8 {
  return format === 'int8' ? 8 : 4;
}

function sumsOf([
  source = 0,
  error = 0,
  cross = 0,
  largest = 0,
  firstNonFinite = -1,
]: SumsArray): EncodeResult {
  return { source, error, cross, largest, firstNonFinite };
}
