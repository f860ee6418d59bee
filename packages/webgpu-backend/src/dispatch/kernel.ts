// A kernel: WGSL text with the bindings it declares. The preamble is the same for all of them:
//
//   binding 0   params: where each weight operand begins within its binding, the op's own numbers, and a list
//   binding 1…  activations, caches, weights, in the order of `buffers`
//
// A weight operand (`span`) is bytes at any address. It gets functions that read at a byte address relative to its start:
// NAME_word, NAME_half, NAME_byte, NAME_f32, and NAME_2 and NAME_4 for as many words.

export interface KernelBuffer {
  readonly name: string;
  readonly access: 'read' | 'read_write';
  /** `span`: weight bytes at any address; `wide`: the same, starting at and read by 16 bytes. */
  readonly type: 'floats' | 'words' | 'vectors' | 'span' | 'wide';
}

export interface KernelText {
  /** Unique: pipelines are kept by it. */
  readonly name: string;
  /** Fields of the op's own numbers: 4-byte scalars and structs of them. */
  readonly params: string;
  readonly buffers: readonly KernelBuffer[];
  /** Functions and the entry point `main`. */
  readonly code: string;
}

export interface Kernel {
  readonly name: string;
  readonly wgsl: string;
  /** The params first. */
  readonly buffers: readonly KernelBuffer[];
}

/** The most bindings of a kernel: what every adapter has (maxStorageBuffersPerShaderStage). */
export const MAX_BINDINGS = 8;

const PARAMS: KernelBuffer = { name: 'params', access: 'read', type: 'words' };

const TYPES = {
  floats: 'array<f32>',
  words: 'array<u32>',
  vectors: 'array<vec4f>',
  span: 'array<u32>',
  wide: 'array<vec4u>',
} as const;

/** The float32 arena, which every op reads and writes. */
export const ARENA: KernelBuffer = { name: 'arena', access: 'read_write', type: 'floats' };

const kernels = new Map<string, Kernel>();

/** The kernel called `name`; its text is made once. */
export function kernelOf(name: string, text: () => Omit<KernelText, 'name'>): Kernel {
  let kernel = kernels.get(name);
  if (!kernel) kernels.set(name, (kernel = createKernel({ name, ...text() })));
  return kernel;
}

function createKernel({ name, params, buffers, code }: KernelText): Kernel {
  const all = [PARAMS, ...buffers];
  if (all.length > MAX_BINDINGS) throw new TypeError(`Expected at most ${MAX_BINDINGS} bindings in ${name}`);
  const wgsl = `
struct Tensor { offset: u32, stride: u32, rows: u32, cols: u32 }
fn place(tensor: Tensor, row: u32, col: u32) -> u32 { return tensor.offset + row * tensor.stride + col; }
struct Params { at: array<u32, ${MAX_BINDINGS}>, ${params ? `${params}, ` : ''}list: array<u32> }
@group(0) @binding(0) var<storage, read> params: Params;
${buffers.map(({ name, access, type }, i) => `@group(0) @binding(${i + 1}) var<storage, ${access}> ${name}: ${TYPES[type]};`).join('\n')}
${buffers.map((buffer, i) => readers(buffer, i + 1)).join('')}
${code}`;
  return { name, wgsl, buffers: all };
}

function readers({ name, type }: KernelBuffer, binding: number): string {
  if (type !== 'span' && type !== 'wide') return '';
  const start = `params.at[${binding}]`;
  const word = type === 'wide' ? `${name}[i >> 2u][i & 3u]` : `${name}[i]`;
  const wide =
    type === 'wide'
      ? `return ${name}[(at + ${start}) >> 4u];`
      : `
  let address = at + ${start};
  let i = address >> 2u;
  let shift = (address & 3u) << 3u;
  let low = vec4u(${name}[i], ${name}[i + 1u], ${name}[i + 2u], ${name}[i + 3u]);
  if (shift == 0u) { return low; }
  return (low >> vec4u(shift)) | (vec4u(low.yzw, ${name}[i + 4u]) << vec4u(32u - shift));`;
  return `
fn ${name}_load(i: u32) -> u32 { return ${word}; }
fn ${name}_word(at: u32) -> u32 {
  let address = at + ${start};
  let shift = (address & 3u) << 3u;
  let low = ${name}_load(address >> 2u);
  if (shift == 0u) { return low; }
  return (low >> shift) | (${name}_load((address >> 2u) + 1u) << (32u - shift));
}
fn ${name}_byte(at: u32) -> u32 {
  let address = at + ${start};
  return (${name}_load(address >> 2u) >> ((address & 3u) << 3u)) & 255u;
}
fn ${name}_half(at: u32) -> u32 { return ${name}_byte(at) | (${name}_byte(at + 1u) << 8u); }
fn ${name}_f32(at: u32) -> f32 { return bitcast<f32>(${name}_word(at)); }
fn ${name}_2(at: u32) -> vec2u { return vec2u(${name}_word(at), ${name}_word(at + 4u)); }
fn ${name}_4(at: u32) -> vec4u { ${wide} }
`;
}
