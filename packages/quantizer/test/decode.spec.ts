// Planes that come from a file are measured before they are read.

import { decode, type Format } from '../src/index.js';
import { every } from './every-kernels.js';
import { encodeTensor } from './support.js';

const shape = [4, 256];
const source = new Uint8Array(Uint16Array.from({ length: 1024 }, (_, i) => 0x3c00 + (i % 200)).buffer);

describe.each(every)('$description', ({ kernels }) => {
  const encoded = async (format: Format, doubleQuantization = false): Promise<Map<string, Uint8Array>> => {
    const options = { name: 't', dtype: 'BF16', shape, format, doubleQuantization, kernels } as const;
    return (await encodeTensor(options, source)).planes;
  };
  const expectInvalid = async (format: Format, planes: Map<string, Uint8Array>): Promise<void> => {
    await expect(decode({ name: 't', shape, format, planes, kernels })).rejects.toMatchObject({
      code: 'INVALID_DATA',
      fields: { tensor: 't' },
    });
  };

  it.each([
    ['4bit', 't.4bit.absmax'],
    ['4bit', 't.4bit.quant_map'],
    ['8bit', 't.8bit.code'],
    ['int8', 't'],
    ['int4', 't.int4.scales'],
    ['lossless', 't.lossless.escapes'],
  ] as const)('%s without all of %s', async (format, name) => {
    const planes = await encoded(format);
    planes.set(name, (planes.get(name) ?? new Uint8Array(1)).subarray(1));
    await expectInvalid(format, planes);
    planes.delete(name);
    await expectInvalid(format, planes);
  });

  it.each(['{', '{"blocksize": 64}', '{"blocksize": 128, "nested_blocksize": 256, "nested_offset": 0}'])(
    'nested factors with the state %s',
    async (state) => {
      const planes = await encoded('4bit', true);
      planes.set('t.4bit.quant_state.bitsandbytes__nf4', new TextEncoder().encode(state));
      await expectInvalid('4bit', planes);
    },
  );

  it('more escapes than there is room for', async () => {
    const planes = await encoded('lossless');
    planes.get('t.lossless.codes')?.fill(0xff);
    await expectInvalid('lossless', planes);
  });

  it('int4 of an odd number of columns', async () => {
    const planes = new Map([['t', new Uint8Array(5)]]);
    await expect(decode({ name: 't', shape: [2, 5], format: 'int4', planes, kernels })).rejects.toMatchObject(
      {
        code: 'INVALID_DATA',
      },
    );
  });
});
