// The element types of torch, by the names a pickle gives them. Named as in safetensors, so that readers of
// either format share one vocabulary.

export interface ElementType {
  /** As safetensors names it: `F32`, `BF16`, `I64` … */
  readonly dtype: string;
  readonly bytes: number;
}

const type = (dtype: string, bytes: number): ElementType => Object.freeze({ dtype, bytes });

const F64 = type('F64', 8);
const F32 = type('F32', 4);
const F16 = type('F16', 2);
const BF16 = type('BF16', 2);
const I64 = type('I64', 8);
const I32 = type('I32', 4);
const I16 = type('I16', 2);
const I8 = type('I8', 1);
const U8 = type('U8', 1);
const BOOL = type('BOOL', 1);
const C64 = type('C64', 8);

/** Global of a storage class → its elements. An untyped storage counts bytes. */
export const STORAGE_CLASSES: ReadonlyMap<string, ElementType> = new Map([
  ['torch.DoubleStorage', F64],
  ['torch.FloatStorage', F32],
  ['torch.HalfStorage', F16],
  ['torch.BFloat16Storage', BF16],
  ['torch.LongStorage', I64],
  ['torch.IntStorage', I32],
  ['torch.ShortStorage', I16],
  ['torch.CharStorage', I8],
  ['torch.ByteStorage', U8],
  ['torch.BoolStorage', BOOL],
  ['torch.ComplexFloatStorage', C64],
  ['torch.UntypedStorage', U8],
  ['torch.storage.UntypedStorage', U8],
]);

/** Global of a `torch.dtype` → its elements. */
export const DTYPES: ReadonlyMap<string, ElementType> = new Map([
  ['torch.float64', F64],
  ['torch.float32', F32],
  ['torch.float16', F16],
  ['torch.bfloat16', BF16],
  ['torch.int64', I64],
  ['torch.int32', I32],
  ['torch.int16', I16],
  ['torch.int8', I8],
  ['torch.uint8', U8],
  ['torch.uint16', type('U16', 2)],
  ['torch.uint32', type('U32', 4)],
  ['torch.uint64', type('U64', 8)],
  ['torch.bool', BOOL],
  ['torch.complex64', C64],
  ['torch.float8_e4m3fn', type('F8_E4M3', 1)],
  ['torch.float8_e4m3fnuz', type('F8_E4M3FNUZ', 1)],
  ['torch.float8_e5m2', type('F8_E5M2', 1)],
  ['torch.float8_e5m2fnuz', type('F8_E5M2FNUZ', 1)],
  ['torch.float8_e8m0fnu', type('F8_E8M0', 1)],
]);
