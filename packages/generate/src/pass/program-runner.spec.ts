import { Recorder, type Command, type Program, type WeightSlice } from '@airllm/backend';
import type { LayerStore, TilePart } from '@airllm/layer-store';
import { FakeDevice, fakeLease, settled, type FakeLease } from '../../test/fakes.js';
import { PLAIN_ROUTING } from '../../test/routing-rule.js';
import type { RouterPreview } from './preview-router.js';
import { ProgramRunner } from './program-runner.js';
import { Submitter } from './submitter.js';

/** A store of tiles with these blocks of rows: `[weight, rowStart, rowCount]`. */
function fakeStore(
  blocks: readonly (readonly [string, number, number])[][],
  streamed = true,
  denseTiles = blocks.length,
) {
  const parts = new Map<string, TilePart[]>();
  blocks.forEach((tileBlocks, tile) => {
    for (const [name, rowStart, rowCount] of tileBlocks) {
      const part = { tile, rowStart, rowCount, bufferOffset: rowStart, weight: { name, cols: 4 } };
      parts.set(name, [...(parts.get(name) ?? []), part as unknown as TilePart]);
    }
  });
  const leases: FakeLease[] = [];
  const events: string[] = [];
  const waiting = new Map<number, { grant(): void; refuse(error: Error): void }>();
  const lend = (tile: number): FakeLease => {
    const lease = fakeLease(tile, streamed);
    leases.push(lease);
    return lease;
  };
  const absent = new Set<number>();
  const store = {
    prefetches: true,
    parts: (name: string) => parts.get(name) ?? [],
    kindOf: (tile: number) => (tile < denseTiles ? 'dense' : 'expert'),
    vector: (name: string) => ({ name, byteOffset: 0, dtype: 'f32', rows: 1, cols: 8 }),
    slice: (lease: FakeLease, part: TilePart) => ({
      tile: lease.tile,
      byteOffset: part.bufferOffset,
      dtype: 'f32',
      rows: part.rowCount,
      cols: part.weight.cols,
    }),
    tryBorrow: (tile: number) => {
      events.push(`borrow ${tile}`);
      return absent.has(tile) ? undefined : lend(tile);
    },
    foreseeExperts: (names: readonly string[]) => events.push(`foresee ${names.join()}`),
    expectExperts: (names: readonly string[]) => events.push(`expect ${names.join()}`),
    holdsExpert: (names: readonly string[]) =>
      names.every((name) => (parts.get(name) ?? []).every(({ tile }) => !absent.has(tile))),
    tryAcquire: (tile: number) => {
      events.push(`try ${tile}`);
      return absent.has(tile) ? undefined : lend(tile);
    },
    acquire: (tile: number) => {
      events.push(`wait ${tile}`);
      return new Promise((grant, refuse) => {
        waiting.set(tile, { grant: () => grant(lend(tile)), refuse });
      });
    },
  } as unknown as LayerStore;
  return { store, leases, events, waiting, absent };
}

function openRunner(fake: ReturnType<typeof fakeStore>) {
  const device = new FakeDevice();
  const submitter = new Submitter(device.backend, device.context, [0]);
  return { device, submitter, runner: new ProgramRunner(fake.store, submitter) };
}

/** x [2, 4] through matrices of four columns, one after the other on the same input. */
function program(...matrices: (readonly [name: string, rows: number, bias?: string])[]) {
  const rec = new Recorder();
  const x = rec.input(2, 4);
  for (const [name, rows, bias] of matrices)
    rec.linear(
      x,
      { name, shape: [rows, 4] },
      bias === undefined ? {} : { bias: { name: bias, shape: [rows] } },
    );
  return rec.finish();
}

interface Block {
  op: string;
  tile: number;
  firstColumn: number;
  columns: number;
  biasOffset: number | undefined;
}

function blockOf(command: Command<WeightSlice>): Block {
  if (command.op !== 'linear') throw new Error(`Expected a linear but received ${command.op}`);
  const { weight, bias, out } = command;
  return {
    op: command.op,
    tile: (weight as unknown as { tile: number }).tile,
    firstColumn: out.start,
    columns: out.cols,
    biasOffset: bias?.byteOffset,
  };
}

describe('a linear', () => {
  it('becomes one per block of rows, each with its columns of the output and its part of the bias', async () => {
    const fake = fakeStore([[['w', 0, 3]], [['w', 3, 4]], [['w', 7, 1]]]);
    const { device, runner } = openRunner(fake);
    await runner.run(program(['w', 8, 'b']));
    // A bias is float32 here: four bytes per row.
    expect(device.submissions.flatMap(({ commands }) => commands.map(blockOf))).toEqual([
      { op: 'linear', tile: 0, firstColumn: 0, columns: 3, biasOffset: 0 },
      { op: 'linear', tile: 1, firstColumn: 3, columns: 4, biasOffset: 12 },
      { op: 'linear', tile: 2, firstColumn: 7, columns: 1, biasOffset: 28 },
    ]);
  });

  it('adds up blocks of k where the checkpoint keeps its weight input-major', async () => {
    const fake = fakeStore([[['w', 0, 3]], [['w', 3, 1]]]);
    for (const part of fake.store.parts('w')) Object.assign(part.weight, { packing: { inputMajor: true } });
    const { device, runner } = openRunner(fake);
    await runner.run(program(['w', 8, 'b']));
    // The weight is [8, 4] in the model and [4, 8] where it is stored: rows 0 … 2 take columns 0 … 2 of x.
    expect(
      device.submissions.flatMap(({ commands }) =>
        commands.map((command) =>
          command.op === 'linearTransposed'
            ? [command.x.start, command.x.cols, command.out.cols, command.bias?.cols, command.accumulate]
            : command.op,
        ),
      ),
    ).toEqual([
      [0, 3, 8, 8, false],
      [3, 1, 8, undefined, true],
    ]);
  });

  it('is submitted as soon as its streamed tile is done with', async () => {
    const fake = fakeStore([
      [
        ['a', 0, 2],
        ['b', 0, 1],
      ],
      [['b', 1, 1]],
    ]);
    const { device, runner } = openRunner(fake);
    await runner.run(program(['a', 2], ['b', 2]));
    expect(fake.events).toEqual(['try 0', 'try 1']);
    expect(device.ops).toEqual([['linear', 'linear'], ['linear']]);
  });

  it('is submitted with the rest of the program where its tile stays', async () => {
    const fake = fakeStore([[['a', 0, 2]], [['b', 0, 2]]], false);
    const { device, runner } = openRunner(fake);
    await runner.run(program(['a', 2], ['b', 2]));
    expect(device.ops).toEqual([['linear', 'linear']]);
  });

  it('has everything before it submitted when it has to wait for its tile', async () => {
    const fake = fakeStore([[['a', 0, 2]], [['b', 0, 2]]], false);
    fake.absent.add(1);
    const { device, runner } = openRunner(fake);
    const running = runner.run(program(['a', 2], ['b', 2]));
    await settled();
    expect(fake.events).toEqual(['try 0', 'try 1', 'wait 1']);
    expect(device.ops).toEqual([['linear']]);
    await device.submissions[0]?.finish();
    expect(fake.leases[0]?.releases).toBe(1);
    fake.waiting.get(1)?.grant();
    await running;
    expect(device.ops).toEqual([['linear'], ['linear']]);
  });
});

describe('leases', () => {
  it('are held one at a time beside those of submitted commands', async () => {
    const fake = fakeStore(Array.from({ length: 6 }, (_, i) => [['w', i, 1] as const]));
    const { device, runner } = openRunner(fake);
    const submittedAtLease: number[] = [];
    const lend = fake.store.tryAcquire.bind(fake.store);
    fake.store.tryAcquire = (tile) => {
      submittedAtLease.push(device.submissions.length);
      return lend(tile);
    };
    await runner.run(program(['w', 6]));
    // Tile n is asked for when the commands of the n tiles before it are on the device.
    expect(submittedAtLease).toEqual([0, 1, 2, 3, 4, 5]);
    expect(fake.leases.map(({ releases }) => releases)).toEqual([0, 0, 0, 0, 0, 0]);
    for (const submission of device.submissions) await submission.finish();
    expect(fake.leases.map(({ releases }) => releases)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('come back when a tile cannot be read', async () => {
    const fake = fakeStore([[['w', 0, 1]], [['w', 1, 1]]]);
    fake.absent.add(1);
    const { device, submitter, runner } = openRunner(fake);
    const running = runner.run(program(['w', 2])).catch((error: Error) => error.message);
    await settled();
    fake.waiting.get(1)?.refuse(new Error('the disk is gone'));
    expect(await running).toBe('the disk is gone');
    const abandoned = submitter.abandon();
    await device.submissions[0]?.finish();
    await abandoned;
    expect(fake.leases.map(({ releases }) => releases)).toEqual([1]);
  });
});

describe('a mixture of experts', () => {
  /** A router, three experts, and a shared matrix of a tile of its own beside them. */
  function openMixture({ topK = 1 } = {}) {
    const fake = fakeStore(
      [
        [['router', 0, 3]],
        [['shared', 0, 4]],
        ...[0, 1, 2].map((e) => [
          [`gate${e}`, 0, 3] as const,
          [`up${e}`, 0, 3] as const,
          [`down${e}`, 0, 4] as const,
        ]),
      ],
      false,
      2,
    );
    const rec = new Recorder();
    const x = rec.input(2, 4);
    const logits = rec.linear(x, { name: 'router', shape: [3, 4] });
    const shared = rec.linear(x, { name: 'shared', shape: [4, 4] });
    const out = rec.experts(x, logits, {
      routing: { ...PLAIN_ROUTING, topK },
      count: 3,
      record: (own, input, e) => {
        const gate = own.linear(input, { name: `gate${e}`, shape: [3, 4] });
        const up = own.linear(input, { name: `up${e}`, shape: [3, 4] });
        return own.linear(own.glu(gate, up, 'silu'), { name: `down${e}`, shape: [4, 3] });
      },
    });
    rec.accumulate(out, shared);
    return { fake, mixture: rec.finish(), ...openRunner(fake) };
  }

  const one = ['gatherRows', 'linear', 'linear', 'glu', 'linear'];
  const gathered = (device: FakeDevice): number[][] =>
    device.submissions
      .flatMap(({ commands }) => commands)
      .flatMap((command) => (command.op === 'gatherRows' ? [[...command.indices]] : []));

  it('waits for the router, then takes only the experts that were chosen', async () => {
    const { fake, mixture, device, submitter, runner } = openMixture();
    device.immediate = true;
    // Row 0 goes to expert 2, row 1 to expert 0; nobody to expert 1.
    device.logits = Float32Array.of(0, 0, 9, 9, 0, 0);
    await runner.run(mixture);
    await submitter.settle();
    expect(fake.events).toEqual([
      'try 0',
      'expect gate0,up0,down0,gate2,up2,down2',
      'try 1',
      'try 2',
      'try 4',
    ]);
    const whole = [...one, 'scatterAddRows'];
    expect(device.ops.flat()).toEqual(['linear', 'linear', 'fill', ...whole, ...whole, 'accumulate']);
    expect(gathered(device)).toEqual([[1], [0]]);
    expect(fake.leases.map(({ releases }) => releases)).toEqual([1, 1, 1, 1]);
  });

  /** What the router of the next layer wants, and its room in the arena. */
  function recordPreview(mixture: Program): RouterPreview {
    const rec = new Recorder();
    const x = rec.input(1, 4);
    const normed = rec.rmsNorm(x, { weight: { name: 'norm', shape: [4] }, eps: 1e-5 });
    const logits = rec.linear(normed, { name: 'next', shape: [3, 4] });
    rec.finish();
    const mixtureCommand = mixture.commands.find(({ op }) => op === 'experts');
    if (mixtureCommand?.op !== 'experts') throw new Error('Expected a mixture');
    return {
      norm: {
        ...{ op: 'rmsNorm', x, weight: { name: 'norm', shape: [4] }, groupWidth: 4, eps: 1e-5 },
        ...{ weightOffset: 0, out: normed },
      },
      router: {
        ...{ op: 'linear', x: normed, weight: { name: 'router', shape: [3, 4] }, bias: undefined },
        ...{ normalizeRows: false, out: logits },
      },
      mixture: mixtureCommand,
    };
  }

  it('announces what the next one will probably want behind its own, the likeliest first', async () => {
    const { fake, mixture, device, submitter, runner } = openMixture({ topK: 2 });
    device.immediate = true;
    device.logits = Float32Array.of(0, 5, 9, 0, 5, 9);
    await runner.run(mixture, recordPreview(mixture));
    await submitter.settle();
    const announced = fake.events.filter((event) => /expect|foresee|borrow/.test(event));
    expect(announced).toEqual([
      'borrow 0',
      'expect gate1,up1,down1,gate2,up2,down2',
      'foresee gate2,up2,down2,gate1,up1,down1',
    ]);
    expect(device.ops[1]).toEqual(['rmsNorm', 'linear']);
    expect(fake.leases.every(({ releases }) => releases === 1)).toBe(true);
  });

  it('does not look ahead where the next router is not in memory', async () => {
    const { fake, mixture, device, submitter, runner } = openMixture({ topK: 2 });
    device.immediate = true;
    device.logits = Float32Array.of(0, 5, 9, 0, 5, 9);
    const preview = recordPreview(mixture);
    const absent = { ...preview.router, weight: { name: 'shared', shape: [4, 4] } };
    fake.absent.add(1);
    const running = runner.run(mixture, { ...preview, router: absent });
    await settled();
    fake.waiting.get(1)?.grant();
    await running;
    await submitter.settle();
    expect(fake.events.filter((event) => event.startsWith('foresee'))).toEqual([]);
    expect(device.ops.flat()).not.toContain('rmsNorm');
  });

  it('computes what is shared, then experts in memory, while others are read, and adds up by number', async () => {
    const { fake, mixture, device, submitter, runner } = openMixture({ topK: 2 });
    device.immediate = true;
    // Both rows go to experts 0 and 2; expert 0 has to be read.
    device.logits = Float32Array.of(9, 0, 8, 8, 0, 9);
    fake.absent.add(2);
    const running = runner.run(mixture);
    await settled();
    expect(fake.events).toEqual([
      'try 0',
      'expect gate2,up2,down2,gate0,up0,down0',
      'try 1',
      'try 4',
      'try 2',
      'wait 2',
    ]);
    // Held: copied to where the expert to come does not write.
    expect(device.ops).toEqual([
      ['linear'],
      ['linear', 'fill', ...one, 'gatherRows', 'gatherRows'].slice(0, 9),
    ]);
    fake.waiting.get(2)?.grant();
    await running;
    await submitter.settle();
    expect(device.ops.at(-1)).toEqual([...one.slice(1), 'scatterAddRows', 'scatterAddRows', 'accumulate']);
  });

  it('reads and multiplies an expert once for all rows that chose it', async () => {
    const { fake, mixture, device, submitter, runner } = openMixture();
    device.immediate = true;
    device.logits = Float32Array.of(0, 9, 0, 0, 9, 0);
    await runner.run(mixture);
    await submitter.settle();
    expect(fake.events.filter((event) => event.startsWith('try'))).toEqual(['try 0', 'try 1', 'try 3']);
    expect(gathered(device)).toEqual([[0, 1]]);
  });

  it('forgets what was routed when a run fails', async () => {
    const { fake, mixture, device, submitter, runner } = openMixture();
    device.immediate = true;
    device.logits = Float32Array.of(9, 0, 0, 9, 0, 0);
    fake.absent.add(1);
    const running = runner.run(mixture).catch((error: Error) => error.message);
    await settled();
    fake.waiting.get(1)?.refuse(new Error('the disk is gone'));
    expect(await running).toBe('the disk is gone');
    fake.absent.delete(1);
    await runner.run(mixture);
    await submitter.settle();
    expect(fake.events.filter((event) => event.startsWith('expect'))).toHaveLength(2);
  });
});
