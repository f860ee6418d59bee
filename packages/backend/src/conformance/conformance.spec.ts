// The reference backend passes its own suite; a backend with a fault does not.

import type { Backend, Submission } from '../backend.js';
import { createReferenceBackend } from '../reference/index.js';
import { assertConforms, conformanceCases, type ConformanceCase } from './index.js';

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

  const changeOp = (op: string, change: object) => (submission: Submission) => ({
    ...submission,
    commands: submission.commands.map((command) => (command.op === op ? { ...command, ...change } : command)),
  });

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

  it.each(faults)('%s', async (_, caught, backend) => {
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
