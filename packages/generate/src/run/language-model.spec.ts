import { cp, mkdtemp, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, generate, openModel, readCase } from '../../test/cases.js';
import { settled } from '../../test/fakes.js';
import { sizeRun } from './run-size.js';

const llama = await readCase('llama3-gqa');
const prompts = llama.prompts.map(({ input_ids }) => input_ids);
const greedy = llama.prompts.map(({ greedy: ids }) => ids);
const [prompt] = prompts as [number[]];
const [continuation] = greedy as [number[]];

const long = Array.from({ length: 100 }, (_, i) => (i * 37 + 11) % 256);

/** Ids as text: token 65 is `A`. */
const decoder = { decode: (ids: readonly number[]) => ids.map((id) => `<${id}>`).join('') };

const nothingHeld = { runs: 0, leases: 0 };

describe('the end of a sequence', () => {
  it('is the token limit, and says so on the last token', async () => {
    await using opened = await openModel(llama);
    const events = await collect(opened.model.stream([prompt], { maxNewTokens: 3 }));
    expect(events.map(({ tokenId }) => tokenId)).toEqual(continuation.slice(0, 3));
    expect(events.map(({ finishReason }) => finishReason)).toEqual([undefined, undefined, 'length']);
  });

  it('is the limit of generation_config where none is asked for', async () => {
    await using opened = await openModel(llama, { generationConfig: { max_new_tokens: 5 } });
    expect(await collect(opened.model.stream([prompt]))).toHaveLength(5);
    expect(await collect(opened.model.stream([prompt], { maxNewTokens: 2 }))).toHaveLength(2);
  });

  it('is the context', async () => {
    const maxSequenceTokens = prompt.length + 4;
    await using opened = await openModel(llama, { maxSequenceTokens });
    const events = await collect(opened.model.stream([prompt], { maxNewTokens: 100 }));
    expect(events.map(({ tokenId }) => tokenId)).toEqual(continuation.slice(0, 4));
    expect(events.at(-1)?.finishReason).toBe('length');
  });

  it('is an end-of-sequence token, which is reported, unless ignored', async () => {
    const eos = continuation[6] ?? -1;
    const first = continuation.indexOf(eos);
    await using opened = await openModel(llama, { eosTokenIds: [eos, 999] });
    const events = await collect(opened.model.stream([prompt], { maxNewTokens: 24 }));
    expect(events.map(({ tokenId }) => tokenId)).toEqual(continuation.slice(0, first + 1));
    expect(events.at(-1)?.finishReason).toBe('eos');
    expect(await generate(opened.model, [prompt], { ignoreEos: true })).toEqual([continuation]);
  });

  it('is a stop string, which is not part of the text', async () => {
    await using opened = await openModel(llama, { decoder });
    const stop = `<${continuation[2]}><${continuation[3]}>`;
    const text = decoder.decode(continuation);
    const events = await collect(opened.model.stream([prompt], { maxNewTokens: 24, stop }));
    expect(events.map(({ text: piece }) => piece).join('')).toBe(text.slice(0, text.indexOf(stop)));
    expect(events.at(-1)?.finishReason).toBe('stop');
  });

  it('leaves the other sequences of the batch as they are', async () => {
    const eos = greedy[0]?.[1] ?? -1;
    const expected = greedy.map((ids) => (ids.includes(eos) ? ids.slice(0, ids.indexOf(eos) + 1) : ids));
    expect(new Set(expected.map((ids) => ids.length)).size).toBeGreaterThan(1);
    await using opened = await openModel(llama, { eosTokenIds: [eos] });
    expect(await generate(opened.model, prompts)).toEqual(expected);
  });

  it('gives the whole text where nothing stops it', async () => {
    await using opened = await openModel(llama, { decoder });
    const events = await collect(opened.model.stream([prompt], { maxNewTokens: 24 }));
    expect(events.map(({ text }) => text).join('')).toBe(decoder.decode(continuation));
  });
});

describe('sampling', () => {
  const options = { temperature: 1.5, seed: 11 };

  it('gives the same tokens for a seed, alone and first in a batch', async () => {
    await using opened = await openModel(llama);
    const [alone] = await generate(opened.model, [prompt], options);
    expect(alone).not.toEqual(continuation);
    expect((await generate(opened.model, [prompt], options))[0]).toEqual(alone);
    expect((await generate(opened.model, prompts, options))[0]).toEqual(alone);
  });

  it('gives other tokens for another seed', async () => {
    await using opened = await openModel(llama);
    const [one] = await generate(opened.model, [prompt], options);
    const [other] = await generate(opened.model, [prompt], { ...options, seed: 12 });
    expect(other).not.toEqual(one);
  });
});

describe('a prompt longer than a pass', () => {
  it('is computed in chunks, with the same tokens and logits', async () => {
    const reservedRunBytes = 250_000;
    await using opened = await openModel(llama, { share: 0, reservedRunBytes });
    await using whole = await openModel(llama);
    // Activations may take an eighth of the memory.
    const request = { sequenceTokens: [long.length], promptRows: long.length };
    const size = (memoryBytes: number) => sizeRun(llama.definition, request, memoryBytes / 8);
    expect(size(opened.minimumBytes + reservedRunBytes).shape.rows).toBeLessThan(long.length);
    expect(size(whole.everythingBytes + 1e9).shape.rows).toBe(long.length);
    expect(await opened.model.logits(long)).toEqual(await whole.model.logits(long));
    const batch = [long, ...prompts];
    const [continued, ...others] = await generate(opened.model, batch);
    expect([continued]).toEqual(await generate(whole.model, [long]));
    expect(others).toEqual(greedy);
  });
});

describe('a run that needs more memory than is reserved', () => {
  it('takes it from the weights that stay in memory, with the same tokens', async () => {
    await using opened = await openModel(llama, { reservedRunBytes: 1000 });
    const { placement } = opened.store;
    expect(placement.pinned).not.toContain(false);
    expect(await generate(opened.model, prompts)).toEqual(greedy);
    expect(opened.store.placement.pinned).toContain(false);
    const sequenceTokens = prompts.map(({ length }) => length + 24);
    const sizeOf = (promptRows: number, activationBytes: number) =>
      sizeRun(llama.definition, { sequenceTokens, promptRows }, activationBytes);
    const memoryBytes = opened.everythingBytes + 1000;
    const prefill = sizeOf(prompts.flat().length, memoryBytes / 8);
    const step = sizeOf(prompts.length, 0);
    expect(step.kvBytes).toBeGreaterThan(1000);
    // After the prompt its activations are weights again.
    expect(prefill.bytes).toBeGreaterThan(step.bytes);
    expect(opened.store.budgetBytes).toBe(memoryBytes - step.bytes);
    expect(opened.held.weightBytes).toBeLessThanOrEqual(memoryBytes - step.bytes);
  });

  it('is refused where there is nothing left to take, saying what is missing; that much more suffices', async () => {
    const run = { maxNewTokens: 28 };
    let reservedRunBytes = 1000;
    const refusal = async () => {
      await using opened = await openModel(llama, { share: 0, reservedRunBytes });
      const error: unknown = await generate(opened.model, [long], run).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(opened.held).toMatchObject(nothingHeld);
      return error as { fields: { missingBytes: number; kvBytes: number; activationBytes: number } };
    };
    const error = await refusal();
    expect(error).toMatchObject({ code: 'BUDGET_TOO_SMALL', cause: { code: 'BUDGET_TOO_SMALL' } });
    // 100 + 28 tokens in blocks of 16; 3 layers · 2 heads · 8 columns · keys and values · float32
    expect(error.fields.kvBytes).toBe((128 / 16) * 16 * 3 * 2 * 8 * 2 * 4);
    expect(error.fields.activationBytes).toBeGreaterThan(0);
    reservedRunBytes += error.fields.missingBytes - 1;
    expect(await refusal()).toMatchObject({ code: 'BUDGET_TOO_SMALL', fields: { missingBytes: 1 } });
    reservedRunBytes += 1;
    expect(await refusal()).toBeUndefined();
  });

  it('computes the prompt in smaller chunks before it is refused', async () => {
    const request = { sequenceTokens: [long.length], promptRows: long.length };
    const [smallest, largest] = [0, 1e9].map((bytes) => sizeRun(llama.definition, request, bytes));
    // An eighth of this would be too much for activations: so much is pinned memory that it is not there.
    const reservedRunBytes = smallest?.bytes ?? 0;
    await using opened = await openModel(llama, { share: 0, reservedRunBytes });
    const memoryBytes = opened.minimumBytes + reservedRunBytes;
    const wanted = sizeRun(llama.definition, request, memoryBytes / 8);
    expect(wanted.bytes).toBeGreaterThan(reservedRunBytes);
    expect(wanted.bytes).toBeLessThanOrEqual(largest?.bytes ?? 0);
    expect(await opened.model.logits(long)).toHaveLength(long.length * 256);
  });

  it('gives back what it got when memory runs out on the way', async () => {
    await using opened = await openModel(llama);
    const { backend, held } = opened;
    const { createArena } = backend;
    backend.createArena = () => {
      throw new Error('out of memory');
    };
    await expect(generate(opened.model, [prompt])).rejects.toThrow('out of memory');
    expect(held).toMatchObject(nothingHeld);
    backend.createArena = createArena;
    expect(await generate(opened.model, [prompt])).toEqual([continuation]);
  });

  it('leaves the model usable when refused', async () => {
    await using opened = await openModel(llama, { share: 0, reservedRunBytes: 150_000 });
    const many = Array.from({ length: 60 }, () => prompt);
    await expect(generate(opened.model, many)).rejects.toMatchObject({ code: 'BUDGET_TOO_SMALL' });
    expect(await generate(opened.model, [prompt])).toEqual([continuation]);
  });
});

describe('what cannot be run', () => {
  it.each([
    ['no token', [[]], {}, 'at least one token per prompt'],
    ['an id above the vocabulary', [[1, 256]], {}, 'within [0, 256) but received 256'],
    ['a negative id', [[-1]], {}, 'received -1'],
    ['a fraction', [[1.5]], {}, 'received 1.5'],
    ['no new token', [[1]], { maxNewTokens: 0 }, 'at least 1 for maxNewTokens but received 0'],
    ['a stop string without a tokenizer', [[1]], { stop: 'x' }, 'a model without a tokenizer'],
    ['an empty stop string', [[1]], { stop: [''] }, 'non-empty strings'],
  ])('is refused, and the model works on: %s', async (what, ids, options, message) => {
    await using opened = await openModel(llama, what.startsWith('an empty') ? { decoder } : {});
    await expect(collect(opened.model.stream(ids, options))).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining(message),
    });
    expect(opened.held).toMatchObject(nothingHeld);
    expect(await generate(opened.model, [prompt])).toEqual([continuation]);
  });

  it('includes a prompt that fills the context', async () => {
    await using opened = await openModel(llama, { maxSequenceTokens: 8 });
    const eight = [1, 2, 3, 4, 5, 6, 7, 8];
    await expect(generate(opened.model, [eight])).rejects.toMatchObject({
      code: 'CONTEXT_OVERFLOW',
      fields: { promptTokens: 8, maxSequenceTokens: 8 },
    });
    // Logits need no room for a new token.
    expect(await opened.model.logits(eight)).toHaveLength(8 * 256);
    await expect(opened.model.logits([...eight, 9])).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' });
    expect((await generate(opened.model, [eight.slice(1)]))[0]).toHaveLength(1);
  });
});

describe('a run that is aborted', () => {
  it.each([
    ['before it starts', 0],
    ['in the prompt', 1],
    ['while decoding', 9],
  ])('%s ends with ABORTED and leaves the model usable', async (_, stages) => {
    await using opened = await openModel(llama, { share: 0 });
    const controller = new AbortController();
    if (stages === 0) controller.abort(new Error('enough'));
    let seen = 0;
    const onStage = (): void => {
      if (++seen === stages) controller.abort(new Error('enough'));
    };
    await expect(
      generate(opened.model, prompts, { signal: controller.signal, onStage }),
    ).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
    expect(seen).toBe(stages);
    expect(opened.held).toMatchObject(nothingHeld);
    expect(await generate(opened.model, prompts)).toEqual(greedy);
  });

  it('also while logits are computed', async () => {
    await using opened = await openModel(llama, { share: 0 });
    const signal = AbortSignal.abort();
    await expect(opened.model.logits(prompt, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(opened.held).toMatchObject(nothingHeld);
  });
});

describe('a stream that is left', () => {
  it('gives everything back', async () => {
    await using opened = await openModel(llama, { share: 0 });
    for await (const { tokenId } of opened.model.stream(prompts, { maxNewTokens: 24 })) {
      expect(tokenId).toBe(continuation[0]);
      expect(opened.held.runs).toBe(2);
      break;
    }
    expect(opened.held).toMatchObject(nothingHeld);
    expect(await generate(opened.model, prompts)).toEqual(greedy);
  });
});

describe('two streams', () => {
  it('run one after the other', async () => {
    await using opened = await openModel(llama, { share: 0 });
    const finished: string[] = [];
    const run = async (name: string, ids: number[]) => {
      const [result] = await generate(opened.model, [ids]);
      finished.push(name);
      return result;
    };
    const [first, second] = prompts as [number[], number[]];
    expect(await Promise.all([run('first', first), run('second', second)])).toEqual(greedy.slice(0, 2));
    expect(finished).toEqual(['first', 'second']);
  });

  it('the second waits while the first is held open', async () => {
    await using opened = await openModel(llama);
    const first = opened.model.stream([prompt], { maxNewTokens: 24 });
    await first.next();
    let started = false;
    const second = generate(opened.model, [prompt], { onStage: () => (started = true) });
    await settled();
    expect(started).toBe(false);
    await first.return();
    expect(await second).toEqual([continuation]);
  });
});

describe('close', () => {
  it('ends an open stream and gives its memory back', async () => {
    await using opened = await openModel(llama);
    const stream = opened.model.stream([prompt], { maxNewTokens: 24 });
    await stream.next();
    expect(opened.held.runs).toBe(2);
    await opened.model.close();
    expect(opened.held).toMatchObject(nothingHeld);
    await expect(stream.next()).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(opened.model.logits(prompt)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(opened.held).toMatchObject(nothingHeld);
  });
});

describe('a disk that fails in the middle of a run', () => {
  it('ends it with READ_FAILED; the model works on when the file is back, and not with another one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'generate-'));
    try {
      await cp(llama.folder, folder, { recursive: true });
      const path = join(folder, 'model.safetensors');
      const bytes = await readFile(path);
      const [written, changed] = [1e9, 1e9 + 1];
      await utimes(path, written, written);
      await using opened = await openModel(llama, { share: 0, folder });
      const stream = opened.model.stream(prompts, { maxNewTokens: 24 });
      expect((await stream.next()).value).toMatchObject({ tokenId: continuation[0] });
      await truncate(path, 4096);
      await expect(collect(stream)).rejects.toMatchObject({ code: 'READ_FAILED', fields: { path } });
      expect(opened.held).toMatchObject(nothingHeld);
      await expect(generate(opened.model, prompts)).rejects.toMatchObject({ code: 'READ_FAILED' });
      await writeFile(path, bytes);
      await utimes(path, written, written);
      expect(await generate(opened.model, prompts)).toEqual(greedy);
      // The same length and another time: nobody knows what was written.
      await utimes(path, changed, changed);
      await expect(generate(opened.model, prompts)).rejects.toMatchObject({
        code: 'FILE_CHANGED',
        fields: { path, replaced: false },
      });
      expect(opened.held).toMatchObject(nothingHeld);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('longrope', () => {
  it('computes the sequence anew when it crosses the original length', async () => {
    // Frequencies far apart, so that keys of the other list give other tokens.
    const longrope = await readCase('llama3-gqa', {
      rope_parameters: {
        rope_type: 'longrope',
        rope_theta: 10000,
        short_factor: [1, 1, 1, 1],
        long_factor: [1, 3, 6, 12],
        original_max_position_embeddings: 16,
        factor: 4,
      },
      max_position_embeddings: 64,
    });
    expect(longrope.definition.ropes.map((rope) => rope.restartsOnChange)).toEqual([true]);
    await using opened = await openModel(longrope, { share: 0.5 });
    const start = [17, 4, 200, 33, 91, 5, 7, 120, 64, 12];
    const [cached] = await generate(opened.model, [start]);
    const recomputed: number[] = [];
    for (let i = 0; i < 24; i++) {
      const logits = (await opened.model.logits([...start, ...recomputed])).subarray(-256);
      recomputed.push(logits.indexOf(Math.max(...logits)));
    }
    expect(cached).toEqual(recomputed);
    // Also in a batch, where the others go on.
    const [inBatch] = await generate(opened.model, [start, [1], [2, 3, 4]]);
    expect(inBatch).toEqual(recomputed);
  });
});

describe('counters', () => {
  it('count passes, prompt tokens and generated tokens', async () => {
    await using opened = await openModel(llama);
    await generate(opened.model, [[1, 2, 3], [4]], { maxNewTokens: 5 });
    expect(opened.model.counters).toMatchObject({
      passes: 5,
      promptTokens: 4,
      generatedTokens: 10,
      decodeTokens: 8,
    });
    expect(opened.model.computeSeconds).toHaveLength(4);
  });
});
