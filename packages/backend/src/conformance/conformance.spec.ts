// The reference backend passes its own suite; a backend with a fault does not.

import type { Backend, Submission } from '../backend.js';
import { createReferenceBackend } from '../reference/index.js';
import { assertConforms, conformanceCases, type ConformanceCase } from './index.js';

type DeviceCommand = Submission['commands'][number];

const cases = conformanceCases();

describe('the reference backend conforms', () => {
  const shared = createReferenceBackend();
  afterAll(() => shared[Symbol.asyncDispose]());

  for (const conformanceCase of cases) {
    it(conformanceCase.name, async () => {
      await assertConforms(
        conformanceCase.disposesBackend ? createReferenceBackend() : shared,
        conformanceCase,
      );
    });
  }
});

it('names are unique', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

describe('a faulty backend is found out', () => {
  /** The reference backend, with submissions changed on their way in. */
  function faulty(change: (submission: Submission) => Submission): Backend {
    const reference = createReferenceBackend();
    return new Proxy(reference, {
      get(target, key) {
        if (key === 'submit') return (submission: Submission) => target.submit(change(submission));
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  const changeCommands = (change: (command: DeviceCommand) => DeviceCommand) => (submission: Submission) => ({
    ...submission,
    commands: submission.commands.map(change),
  });
  const changeOp = (op: string, change: object) =>
    changeCommands((command) => (command.op === op ? { ...command, ...change } : command));

  const faults: [what: string, caught: string, Backend][] = [
    [
      'rotates the other pairs',
      'rope half 8 of 8 columns',
      faulty(changeOp('rope', { style: 'interleaved' })),
    ],
    ['forgets the window', 'attention window of 5', faulty(changeOp('attention', { window: undefined }))],
    ['attends one token less', 'attention window of 17', faulty(changeOp('attention', { window: 16 }))],
    ['drops the bias', 'linear bf16 with bias', faulty(changeOp('linear', { bias: undefined }))],
    [
      'takes the tanh GELU for the exact one',
      'glu gelu',
      faulty(changeOp('glu', { activation: 'gelu-tanh' })),
    ],
    ['ignores eps', 'rmsNorm f32 of values about 0.0001', faulty(changeOp('rmsNorm', { eps: 0 }))],
    [
      'forgets the chunk',
      'attention chunks of 5 positions',
      faulty(changeOp('attention', { chunk: undefined })),
    ],
    [
      'forgets the cap',
      'attention scores capped at 50',
      faulty(changeOp('attention', { softcap: undefined })),
    ],
    ['forgets the sinks', 'attention sinks in bf16', faulty(changeOp('attention', { sinks: undefined }))],
    [
      'forgets the biases',
      'attention linear biases',
      faulty(changeOp('attention', { alibiSlopes: undefined })),
    ],
    [
      'rotates other columns',
      'rope half 6 of 20 columns from 7',
      faulty(changeOp('rope', { rotaryStart: 0 })),
    ],
    ['ignores the offset of a norm weight', 'rmsNorm f32', faulty(changeOp('rmsNorm', { weightOffset: 0 }))],
    ['drops the bias of a norm', 'layerNorm f32', faulty(changeOp('layerNorm', { bias: undefined }))],
    [
      'leaves weight rows as they are',
      'linear bf16 with normalized rows',
      faulty(changeOp('linear', { normalizeRows: false })),
    ],
    [
      'starts every block anew',
      'linearTransposed f32 by blocks is the same',
      faulty(changeOp('linearTransposed', { accumulate: false })),
    ],
    ['clamps elsewhere', 'clampedGlu', faulty(changeOp('clampedGlu', { limit: 1.6 }))],
    [
      'takes the scales of other rows',
      'linear f8e4m3 rows of a larger weight',
      faulty(
        changeCommands((command) =>
          command.op === 'linear' && command.weight.scales
            ? {
                ...command,
                weight: { ...command.weight, scales: { ...command.weight.scales, firstRow: 0 } },
              }
            : command,
        ),
      ),
    ],
    ...['shortConv f32', 'gatedDelta f32', 'latentAttention f32 kvB'].map(
      (caught): [string, string, Backend] => [
        'keeps what the former sequence left, or loses what this one did',
        caught,
        faulty((submission) => ({
          ...submission,
          ...(submission.batch && {
            batch: {
              ...submission.batch,
              sequences: submission.batch.sequences.map((sequence) => ({ ...sequence, past: 1 })),
            },
          }),
        })),
      ],
    ),
    [
      'swaps the tables of sequences',
      'attention 4 heads over 2',
      faulty((submission) => ({
        ...submission,
        ...(submission.batch && {
          batch: {
            ...submission.batch,
            sequences: submission.batch.sequences.map((sequence) => ({
              ...sequence,
              blocks: Int32Array.from(sequence.blocks).fill(0),
            })),
          },
        }),
      })),
    ],
  ];

  it.each(faults)('%s: %s', async (_, caught, backend) => {
    const conformanceCase = cases.find(({ name }) => name === caught) as ConformanceCase;
    await expect(assertConforms(backend, conformanceCase)).rejects.toMatchObject({ code: 'NOT_CONFORMING' });
  });

  it('writes outside its output', async () => {
    const backend = faulty((submission) => ({
      ...submission,
      commands: [...submission.commands, { op: 'fill', x: overrun, value: 1 }],
    }));
    const overrun = {
      rows: 1,
      cols: 1,
      rowStride: 1,
      start: 0,
      storage: { elements: 1, offset: 0 },
      offset: 0,
    } as never;
    const fill = cases.find(({ name }) => name === 'fill') as ConformanceCase;
    await expect(assertConforms(backend, fill)).rejects.toThrow('Expected only outputs to change');
  });
});
