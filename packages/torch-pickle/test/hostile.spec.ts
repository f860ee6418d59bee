// Files that want something executed, or memory, or bytes that are not theirs: each is refused by a typed error.

import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readTorchFile } from '../src/index.js';
import {
  bytes,
  dict,
  FALSE,
  fileOf,
  floats,
  global,
  int,
  list,
  MAGIC,
  NONE,
  ORDERED_DICT,
  pickle,
  storage,
  tensor,
  text,
  torchLegacy,
  torchZip,
  tuple,
  u16,
  u32,
  u64,
  zip,
  type Part,
} from './make-torch-file.js';

const read = async (content: Uint8Array) => readTorchFile(await fileOf(content));
const DATA = { 0: floats(1, 2, 3, 4) };
/** A zip archive with this as the body of its pickle. */
const body = (...parts: readonly Part[]) => torchZip(pickle(...parts), DATA);
const four = (type?: string) => storage({ elements: 4, ...(type !== undefined && { type }) });
const shaped = (spec: Partial<Parameters<typeof tensor>[0]>) =>
  body(tensor({ storage: four(), shape: [4], strides: [1], ...spec }));

describe('a global outside the allow-list is named and never looked up', () => {
  const run = (module: string, name: string) => [global(module, name), tuple(text('touch owned')), 'R'];
  it.each([
    ['os.system', body(...run('os', 'system'))],
    ['posix.system', body(...run('posix', 'system'))],
    ['builtins.eval', body(...run('builtins', 'eval'))],
    ['__builtin__.getattr', body(...run('__builtin__', 'getattr'))],
    ['torch.load', body(...run('torch', 'load'))],
    ['torch.storage._load_from_bytes', body(...run('torch.storage', '_load_from_bytes'))],
    ['torch.hub.load', body(...run('torch.hub', 'load'))],
    ['collections.OrderedDict.__class__', body(...run('collections', 'OrderedDict.__class__'))],
    ['__proto__.constructor', body(...run('__proto__', 'constructor'))],
    ['numpy.core.multiarray._reconstruct', body(...run('numpy.core.multiarray', '_reconstruct'))],
    ['runpy._run_code', body(text('runpy'), text('_run_code'), 0x93, ')R')],
    ['nt.system', body('(', text('cls'), 'int\nsystem\n')],
    ['os.system', body(vectorThen(...run('os', 'system')))],
    ['os.system', torchLegacy(pickle(...run('os', 'system')))],
    ['posix.system', bytes(0x80, 2, ...run('posix', 'system'), '.')],
    ['posix.system', bytes(MAGIC, pickle('M', u16(1001)), pickle(...run('posix', 'system')))],
    ['__torch__.Model', zip([{ name: 'm/data.pkl', data: pickle(global('__torch__', 'Model'), ')', 0x81) }])],
  ])('%s', async (name, content) => {
    await expect(read(content)).rejects.toMatchObject({
      name: 'TorchPickleError',
      code: 'REFUSED_GLOBAL',
      fields: { global: name },
      message: expect.stringContaining(name) as string,
    });
  });

  function vectorThen(...parts: readonly Part[]) {
    return bytes(tensor({ storage: four(), shape: [4], strides: [1] }), '0', ...parts);
  }

  it('leaves nothing behind beside the file', async () => {
    const path = await fileOf(body(...run('os', 'system')));
    await expect(readTorchFile(path)).rejects.toThrow();
    expect(await readdir(dirname(path))).toEqual(['pytorch_model.bin']);
  });
});

describe('an opcode that tensors do not need is named', () => {
  it.each([
    ['PERSID', body('P0\n')],
    ['STRING', body("S'a'\n")],
    ['UNICODE', body('Va\n')],
    ['FLOAT', body('F1.0\n')],
    ['OBJ', body('(', global('collections', 'OrderedDict'), 'o')],
    ['INST', body('(icollections\nOrderedDict\n')],
    ['NEWOBJ', body(global('collections', 'OrderedDict'), ')', 0x81)],
    ['NEWOBJ_EX', body(global('collections', 'OrderedDict'), ')}', 0x92)],
    ['EXT1', body(0x82, 1)],
    ['EXT2', body(0x83, 1, 0)],
    ['EXT4', body(0x84, u32(1))],
    ['EMPTY_SET', body(0x8f)],
    ['FROZENSET', body('(', 0x91)],
    ['NEXT_BUFFER', body(0x97)],
    ['READONLY_BUFFER', body('N', 0x98)],
  ])('%s', async (opcode, content) => {
    await expect(read(content)).rejects.toMatchObject({ code: 'REFUSED_OPCODE', fields: { opcode } });
  });
});

describe('a pickle that is none', () => {
  it.each([
    ['an unknown opcode', body(0xff)],
    ['nothing but STOP', body()],
    ['a pop from an empty stack', body('0')],
    ['a pop below a mark', body('N(', 0x85)],
    ['a tuple without a mark', body('Nt')],
    ['APPEND to a tuple', body(')Na')],
    ['APPEND to a number', body('K\x01Na')],
    ['SETITEM on a list', body(']', text('k'), 'Ns')],
    ['a list as a key', body('}]Ns')],
    ['a key without a value', body('}(', text('k'), 'u')],
    ['a memo slot that is empty', body('h\x07')],
    ['a put of nothing', body('q\x00')],
    ['protocol 6', torchZip(bytes(0x80, 6, 'N.'))],
    ['text that is not UTF-8', body('X', u32(1), 0xff)],
    ['a number that is none', body('Lx\n')],
    ['REDUCE of a string', body(text('os.system'), ')R')],
    ['REDUCE of a storage class', body(global('torch', 'FloatStorage'), ')R')],
    ['REDUCE of a dtype', body(global('torch', 'float32'), ')R')],
    ['REDUCE without a tuple', body(global('collections', 'OrderedDict'), ']R')],
    ['an OrderedDict of no pairs', body(global('collections', 'OrderedDict'), tuple(list('N')), 'R')],
    ['a size of no tuple', body(global('torch', 'Size'), tuple('N'), 'R')],
    ['BUILD on a tuple', body(')}b')],
    ['a global whose name is a number', body('K\x01K\x02', 0x93)],
    ['a tensor of no storage', shaped({ storage: NONE })],
    ['a tensor of too few arguments', body(global('torch._utils', '_rebuild_tensor_v2'), tuple(four()), 'R')],
    [
      'a parameter of no tensor',
      body(global('torch._utils', '_rebuild_parameter'), tuple('N', FALSE, ORDERED_DICT), 'R'),
    ],
    [
      'a size that is a list',
      body(
        global('torch._utils', '_rebuild_tensor'),
        tuple(four(), int(0), list(int(4)), tuple(int(1))),
        'R',
      ),
    ],
    ['a persistent id that is a string', body(text('0'), 'Q')],
    [
      'a persistent id of another kind',
      body(tuple(text('module'), global('torch', 'FloatStorage'), text('0'), text('cpu'), int(4)), 'Q'),
    ],
    [
      'a persistent id whose class is text',
      body(tuple(text('storage'), text('FloatStorage'), text('0'), text('cpu'), int(4)), 'Q'),
    ],
    [
      'a persistent id whose class is a function',
      body(tuple(text('storage'), global('torch', 'Size'), text('0'), text('cpu'), int(4)), 'Q'),
    ],
    [
      'a persistent id whose key is a number',
      body(tuple(text('storage'), global('torch', 'FloatStorage'), int(0), text('cpu'), int(4)), 'Q'),
    ],
    [
      'a view of a storage',
      body(
        tuple(
          text('storage'),
          global('torch', 'FloatStorage'),
          text('0'),
          text('cpu'),
          int(4),
          tuple(text('1'), int(0), int(1)),
        ),
        'Q',
      ),
    ],
  ])('%s', async (_what, content) => {
    await expect(read(content)).rejects.toMatchObject({ code: 'INVALID_PICKLE' });
  });

  it.each([
    ['in an argument', bytes(0x80, 2, 'X', u32(100), 'short')],
    ['before STOP', bytes(0x80, 2, 'N')],
    ['in a name', bytes(0x80, 2, 'ctorch\nFloat')],
    ['in 4 GB of text', bytes(0x80, 2, 'X', u32(0xffffffff))],
    ['in 2^63 bytes of text', bytes(0x80, 4, 0x8d, u64(2n ** 63n))],
    ['in text of negative length', bytes(0x80, 1, 'T', u32(0x80000000))],
  ])('that ends %s is TRUNCATED', async (_where, root) => {
    await expect(read(torchZip(root))).rejects.toMatchObject({ code: 'TRUNCATED' });
  });
});

describe('memory is bounded by named limits', () => {
  const repeat = (part: Uint8Array, times: number) =>
    Buffer.concat(Array.from({ length: times }, () => part));

  it.each([
    // 30 tuples, each of the one before twice: 2^30 values for who walks them.
    ['MAX_VISITED', 'tuples of tuples', body('N', 0x85, repeat(bytes('2', 0x86), 30))],
    ['MAX_VISITED', 'lists of lists', body(']', repeat(bytes('q\x00]h\x00ah\x00a'), 30))],
    ['MAX_DEPTH', 'a list inside itself', body(']2a')],
    ['MAX_DEPTH', 'a dict inside itself', body('}q\x00', text('k'), 'h\x00s')],
    ['MAX_DEPTH', 'a million tuples inside each other', body('N', Buffer.alloc(1_000_000, 0x85))],
    ['MAX_OBJECTS', 'two million lists', body('(', Buffer.alloc(2_000_000, ']'), 't')],
    ['MAX_OPCODES', 'five million numbers', body('(', Buffer.alloc(5_000_000, 'N'), 't')],
    [
      'MAX_OBJECTS',
      'one list of pairs made a dict again and again',
      body(
        list(repeat(bytes('NN', 0x86), 10_000)),
        'q\x00',
        repeat(bytes('0', global('collections', 'OrderedDict'), 'h\x00', 0x85, 'R'), 1000),
      ),
    ],
    ['MAX_INTEGER_BYTES', 'an integer of 2 GB', body(0x8b, u32(0x7fffffff))],
    ['MAX_INTEGER_BYTES', 'an integer of negative length', body(0x8b, u32(0xffffffff))],
    ['MAX_PICKLE_BYTES', 'a pickle of 33 MB', body(Buffer.alloc(33 * 2 ** 20, 'N'))],
    [
      'MAX_PICKLE_BYTES',
      'a legacy pickle that does not end in 33 MB',
      bytes(MAGIC, pickle('M', u16(1001)), bytes(0x80, 2, 'X', u32(2 ** 31)), Buffer.alloc(33 * 2 ** 20)),
    ],
    [
      'MAX_NAME_CHARS',
      'a name of 2000 characters',
      body(dict(text('x'.repeat(2000)), tensor({ storage: four(), shape: [4], strides: [1] }))),
    ],
    ['MAX_ENTRY_NAME_CHARS', 'an entry with a long name', zip([{ name: 'x'.repeat(2000), data: bytes() }])],
  ])('%s: %s', async (limit, _what, content) => {
    await expect(read(content)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', fields: { limit } });
  });
});

describe('a tensor that does not fit its storage', () => {
  it.each([
    ['one element too many', shaped({ shape: [5] })],
    ['an offset past the end', shaped({ offset: 1 })],
    ['strides past the end', shaped({ shape: [2, 2], strides: [3, 1] })],
    ['a scalar past the end', shaped({ offset: 4, shape: [], strides: [] })],
    ['more strides than dimensions', shaped({ strides: [1, 1] })],
    ['a negative size', shaped({ shape: [-4] })],
    ['a negative stride', shaped({ offset: 3, strides: [-1] })],
    ['a negative offset', shaped({ offset: -1 })],
    ['sizes whose product overflows', shaped({ shape: [2 ** 40, 2 ** 40], strides: [0, 0] })],
    ['2^64 elements that wrap to 0', shaped({ shape: [2 ** 32, 2 ** 32], strides: [0, 0] })],
    ['size × stride beyond 2^64', shaped({ shape: [2 ** 40], strides: [2 ** 40] })],
    ['a size beyond 2^53', shaped({ shape: [2n ** 60n], strides: [0] })],
    [
      'a fractional size',
      body(
        global('torch._utils', '_rebuild_tensor'),
        tuple(four(), int(0), tuple('G', Buffer.from('3fe0000000000000', 'hex')), tuple(int(1))),
        'R',
      ),
    ],
    [
      '65 dimensions',
      shaped({ shape: Array.from({ length: 65 }, () => 1), strides: Array.from({ length: 65 }, () => 1) }),
    ],
    ['a storage of a negative number of elements', body(storage({ elements: -1 }))],
    ['two tensors of one name', body(dict(text('a'), dict(text('b'), vector()), text('a.b'), vector()))],
  ])('%s', async (_what, content) => {
    await expect(read(content)).rejects.toMatchObject({ code: 'INVALID_TENSOR' });
  });

  function vector() {
    return tensor({ storage: four(), shape: [4], strides: [1] });
  }

  it('a conjugated or negated view, whose bytes are not its values', async () => {
    const args = [four(), int(0), tuple(int(4)), tuple(int(1)), FALSE, ORDERED_DICT, dict(text('neg'), 0x88)];
    const content = body(global('torch._utils', '_rebuild_tensor_v2'), tuple(...args), 'R');
    await expect(read(content)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('a storage that is not as declared', () => {
  const of = (spec: Parameters<typeof storage>[0]) =>
    pickle(tensor({ storage: storage(spec), shape: [1], strides: [1] }));
  const legacy = (elements: number) => of({ elements, legacy: true });

  it.each([
    ['absent', torchZip(of({ key: '9', elements: 4 }), DATA)],
    ['outside the data folder', torchZip(of({ key: '../version', elements: 1 }), DATA)],
    ['larger', torchZip(of({ elements: 5 }), DATA)],
    ['smaller', torchZip(of({ elements: 3 }), DATA)],
    ['of 2^60 elements', torchZip(of({ elements: 2 ** 52 }), DATA)],
    ['declared in two ways', body(four(), '0', four('IntStorage'))],
    ['absent from the list of keys', torchLegacy(legacy(1), [])],
    [
      'in the list twice',
      torchLegacy(legacy(1), [
        ['0', 1, floats(1)],
        ['0', 1, floats(1)],
      ]),
    ],
    [
      'in the list alone',
      torchLegacy(legacy(1), [
        ['1', 1, floats(1)],
        ['0', 1, floats(1)],
      ]),
    ],
    ['of another count', torchLegacy(legacy(1), [['0', 2, floats(1)]])],
    ['cut', torchLegacy(legacy(2), [['0', 2, floats(1)]])],
    ['of a count that is cut', torchLegacy(legacy(1), [['0', 1, bytes()]]).subarray(0, -4)],
  ])('%s', async (_what, content) => {
    await expect(read(content)).rejects.toMatchObject({ code: 'INVALID_STORAGE' });
  });
});

describe('an archive that is not as torch makes it', () => {
  const root = pickle(tensor({ storage: four(), shape: [4], strides: [1] }));
  const entries = [
    { name: 'm/data.pkl', data: root },
    { name: 'm/data/0', data: DATA[0] },
  ];
  const order = (value: string) => ({ name: 'm/byteorder', data: bytes(value) });

  it.each([
    ['UNSUPPORTED', 'big-endian data', zip([...entries, order('big')])],
    ['UNSUPPORTED', 'a byte order that is none', zip([...entries, order('x'.repeat(1000))])],
    [
      'UNSUPPORTED',
      'a compressed storage',
      zip([entries[0] ?? order(''), { name: 'm/data/0', data: DATA[0], method: 8 }]),
    ],
    ['UNSUPPORTED', 'a compressed pickle', zip([{ name: 'm/data.pkl', data: root, method: 8 }])],
    ['INVALID_ARCHIVE', 'an encrypted pickle', zip([{ name: 'm/data.pkl', data: root, flags: 1 }])],
    ['INVALID_ARCHIVE', 'an entry given twice', zip([...entries, { name: 'm/data/0', data: floats(9) }])],
    ['INVALID_ARCHIVE', 'an entry above its folder', zip([...entries, { name: '../x', data: bytes() }])],
    ['INVALID_ARCHIVE', 'an absolute entry', zip([...entries, { name: '/etc/passwd', data: bytes() }])],
    ['NOT_A_TORCH_FILE', 'two pickles', zip([...entries, { name: 'n/data.pkl', data: root }])],
    ['NOT_A_TORCH_FILE', 'no pickle', zip([{ name: 'm/other.pkl', data: root }])],
    ['NOT_A_TORCH_FILE', 'no entry', bytes('PK\x05\x06', Buffer.alloc(18))],
    ['INVALID_ARCHIVE', 'no directory', zip(entries).subarray(0, -22)],
    ['INVALID_ARCHIVE', 'a cut directory', bytes(zip(entries).subarray(0, -60), zip(entries).subarray(-22))],
    ['INVALID_ARCHIVE', 'bytes after its end', bytes(zip(entries), 'more')],
    ['INVALID_ARCHIVE', 'a signature alone', bytes('PK')],
    ['UNSUPPORTED', 'a big-endian machine', torchLegacy(root, [], false)],
    ['UNSUPPORTED', 'another legacy version', bytes(MAGIC, pickle('M', u16(1000)))],
    [
      'INVALID_PICKLE',
      'legacy keys that are no list',
      bytes(
        MAGIC,
        pickle('M', u16(1001)),
        pickle(dict(text('little_endian'), 0x88)),
        pickle('N'),
        pickle('N'),
      ),
    ],
    ['NOT_A_TORCH_FILE', 'a picture', bytes(0x89, 'PNG\r\n', 0x1a, '\n')],
    ['NOT_A_TORCH_FILE', 'a plain pickle', pickle(dict(text('a'), int(1)))],
    ['NOT_A_TORCH_FILE', 'text', bytes('not a pickle at all\n')],
    ['TRUNCATED', 'nothing', bytes()],
  ])('%s: %s', async (code, _what, content) => {
    await expect(read(content)).rejects.toMatchObject({ name: 'TorchPickleError', code });
  });

  it('a zip64 directory beyond every file', async () => {
    const eocd = bytes(
      'PK\x05\x06',
      u32(0),
      u16(0xffff),
      u16(0xffff),
      u32(0xffffffff),
      u32(0xffffffff),
      u16(0),
    );
    const locator = (offset: bigint) => bytes('PK\x06\x07', u32(0), u64(offset), u32(1));
    const record = bytes(
      'PK\x06\x06',
      u64(44),
      u32(0),
      u32(0),
      u32(0),
      u64(1),
      u64(1),
      u64(46),
      u64(2n ** 63n),
    );
    for (const content of [
      bytes('PK\x03\x04', locator(2n ** 63n), eocd),
      bytes('PK\x03\x04', locator(2n ** 64n - 1n), eocd),
      bytes(record, locator(0n), eocd), // Begins as no zip does, with a directory at 2^63.
    ]) {
      await expect(read(content)).rejects.toMatchObject({ code: 'INVALID_ARCHIVE' });
    }
  });

  it('READ_FAILED with the path: no file, or a folder', async () => {
    const path = join(dirname(await fileOf(bytes())), 'none');
    await expect(readTorchFile(path)).rejects.toMatchObject({ code: 'READ_FAILED', fields: { path } });
    await mkdir(path);
    await expect(readTorchFile(path)).rejects.toMatchObject({ code: 'READ_FAILED', fields: { path } });
  });
});
