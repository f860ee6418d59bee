// Reads a golden case: its configs, the tensors of all its files, and what the reference computed.

import { readdirSync, readFileSync } from 'node:fs';
import { caseNames, fixturesFolder } from '@airllm/fixtures';

export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface GoldenCase {
  readonly config: Record<string, unknown>;
  /** The older dialect, where the case has it. */
  readonly legacyConfig: Record<string, unknown> | undefined;
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly golden: {
    readonly hidden_prompt: number;
    readonly prompts: readonly { readonly input_ids: readonly number[] }[];
  };
  readonly expected: ReadonlyMap<string, RawTensor>;
}

const isWeightsFile = (file: string): boolean => /^model.*\.safetensors$/.test(file);

/** The cases whose weights this package's tests can read; the same models in other formats add nothing here. */
export const safetensorsCases = caseNames.filter(
  (name) => readdirSync(`${fixturesFolder}${name}`).some(isWeightsFile) && !isPacked(name),
);

/** Four-bit weights are a matter of those who load them. */
function isPacked(name: string): boolean {
  const { quantization_config: section } = JSON.parse(
    readFileSync(`${fixturesFolder}${name}/config.json`, 'utf8'),
  );
  return section !== undefined && section.quant_method !== 'fp8';
}

export function readCase(name: string): GoldenCase {
  const folder = `${fixturesFolder}${name}/`;
  const files = readdirSync(folder);
  const json = (file: string) => JSON.parse(readFileSync(folder + file, 'utf8'));
  return {
    config: json('config.json'),
    legacyConfig: files.includes('config.legacy.json') ? json('config.legacy.json') : undefined,
    tensors: new Map(files.filter(isWeightsFile).flatMap((file) => [...readSafetensors(folder + file)])),
    golden: json('golden.json'),
    expected: readSafetensors(`${folder}golden.safetensors`),
  };
}

/** Trusts the file: these are the project's own. */
function readSafetensors(path: string): Map<string, RawTensor> {
  const bytes = readFileSync(path);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  delete header['__metadata__'];
  return new Map(
    Object.entries(header).map(([name, { dtype, shape, data_offsets }]) => {
      const [start, end] = data_offsets.map((offset) => offset + 8 + headerLength);
      return [name, { dtype, shape, bytes: new Uint8Array(bytes.subarray(start, end)) }];
    }),
  );
}

/** The values of an f32 tensor. */
export function floats(tensor: RawTensor | undefined): Float32Array {
  if (tensor?.dtype !== 'F32') throw new Error('Expected an f32 tensor in the golden file');
  return new Float32Array(tensor.bytes.buffer, tensor.bytes.byteOffset, tensor.bytes.byteLength / 4);
}
