import { BackendError } from '@airllm/backend';
import { readCase, collect, generate, openModel, type OpenOptions } from '../../test/cases.js';
import { openFailing, failing, type Failure } from '../../test/failing-device.js';
import type { GenerationOptions } from './generation-options.js';
import type { LanguageModel } from './language-model.js';
import type { TokenEvent } from './token-event.js';

const llama = await readCase('llama3-gqa');
const prompts = llama.prompts.map(({ input_ids }) => input_ids);
const greedy = llama.prompts.map(({ greedy: ids }) => ids);
const [prompt] = prompts as [number[]];

const long = Array.from({ length: 60 }, (_, i) => (i * 37 + 11) % 256);

/** Ids as text: token 65 is `A`. */
const decoder = { decode: (ids: readonly number[]) => ids.map((id) => `<${id}>`).join('') };

const lostAt = (at: number): Failure => ({ code: 'DEVICE_LOST', at });

/** What every sequence of a run yields. */
async function run(
  model: LanguageModel,
  batch: readonly (readonly number[])[],
  options: GenerationOptions,
): Promise<TokenEvent[][]> {
  const events = await collect(model.stream(batch, options));
  return batch.map((_, index) => events.filter(({ sequence }) => sequence === index));
}

/** What it yields of a device that nothing happens to. */
async function undisturbed(
  batch: readonly (readonly number[])[],
  { store, options }: { store: OpenOptions; options: GenerationOptions },
): Promise<TokenEvent[][]> {
  await using opened = await openModel(llama, store);
  return await run(opened.model, batch, options);
}

describe.each([
  { what: 'greedy', batch: prompts.slice(0, 2), store: { share: 0.5 }, sampling: {} },
  {
    what: 'sampled',
    batch: prompts.slice(0, 2),
    store: { share: 0.5 },
    sampling: { temperature: 1.5, seed: 7, repetitionPenalty: 1.3 },
  },
  // A pass in which a sequence has its token before another one's prompt is done.
  { what: 'in chunks', batch: [prompt, long], store: { share: 0, reservedRunBytes: 250_000 }, sampling: {} },
])('a device that is lost, $what', ({ batch, store, sampling }) => {
  const options = { maxNewTokens: 4, ...sampling };

  it.each(['DEVICE_LOST', 'OUT_OF_DEVICE_MEMORY'] as const)(
    'changes no token and no text, whichever submission it is lost at: %s',
    async (code) => {
      const expected = await undisturbed(batch, { store: { ...store, decoder }, options });
      // A pass has at least one for the embedding, each layer and the head; tiles that are waited for make more.
      const submissions = 4 * (llama.definition.sizes.layers + 2);
      for (let at = 0; at < submissions; at += code === 'DEVICE_LOST' ? 1 : 5) {
        const released: unknown[] = [];
        await using opened = await openFailing(llama, [{ code, at }], {
          ...{ ...store, decoder },
          onRecover: ({ held: { runs, leases } }) => void released.push({ runs, leases }),
        });
        expect(await run(opened.model, batch, options)).toEqual(expected);
        expect(opened.losses.map(({ error }) => error.code)).toEqual([code]);
        expect(released).toEqual([{ runs: 0, leases: 0 }]);
        expect(opened.engines.map(({ held }) => held.runs)).toEqual([0, 0]);
        expect(opened.model.counters.generatedTokens).toBe(2 * 4);
      }
    },
  );
});

describe('a device that is lost', () => {
  it('changes no stop string, part of which was held back', async () => {
    const [, second = -1, third = -1] = greedy[0] ?? [];
    const options = { maxNewTokens: 24, stop: `<${second}><${third}>` };
    const [expected] = await undisturbed([prompt], { store: { decoder }, options });
    expect(expected?.map(({ finishReason }) => finishReason)).toEqual([undefined, undefined, 'stop']);
    const failure = lostAt(Infinity);
    await using opened = await openFailing(llama, [failure], { decoder });
    const events: TokenEvent[] = [];
    for await (const event of opened.model.stream([prompt], options)) {
      events.push(event);
      if (event.tokenId === second) failure.at = opened.submissions();
    }
    expect(events).toEqual(expected);
    expect(opened.losses).toHaveLength(1);
  });

  it('may be so again while the tokens are computed again', async () => {
    await using opened = await openFailing(llama, [lostAt(30), lostAt(2), lostAt(9), lostAt(40)]);
    expect(await generate(opened.model, prompts)).toEqual(greedy);
    expect(opened.losses).toHaveLength(4);
  });

  it('is replaced between runs', async () => {
    const failure = lostAt(Infinity);
    await using opened = await openFailing(llama, [failure]);
    expect(await generate(opened.model, [prompt])).toEqual([greedy[0]]);
    failure.at = opened.submissions();
    expect(await generate(opened.model, [prompt])).toEqual([greedy[0]]);
    expect(opened.losses).toHaveLength(1);
  });

  it('ends the run with its error where nothing replaces it', async () => {
    await using opened = await openModel(llama, { alter: (backend) => void failing(backend, lostAt(12)) });
    await expect(generate(opened.model, [prompt])).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    expect(opened.held).toMatchObject({ runs: 0, leases: 0 });
  });

  it('ends this run and all later ones when there is no other', async () => {
    const reason = new BackendError('DEVICE_LOST', 'no device is left');
    let calls = 0;
    await using opened = await openModel(llama, {
      alter: (backend) => void failing(backend, lostAt(12)),
      recover: () => {
        calls += 1;
        return Promise.reject(reason);
      },
    });
    for (let i = 0; i < 2; i++) await expect(generate(opened.model, [prompt])).rejects.toBe(reason);
    expect(calls).toBe(1);
    expect(opened.held).toMatchObject({ runs: 0, leases: 0 });
  });

  it('changes no logits', async () => {
    await using opened = await openFailing(llama, [lostAt(4), lostAt(2)]);
    await using whole = await openModel(llama);
    expect(await opened.model.logits(prompt)).toEqual(await whole.model.logits(prompt));
    expect(opened.losses).toHaveLength(2);
  });

  it('is replaced again where the run does not fit what replaced it', async () => {
    const codes: string[] = [];
    await using first = await openModel(llama, {
      deviceShare: 1,
      alter: (backend) => void failing(backend, lostAt(30)),
      recover: async ({ error }) => {
        codes.push(error.code);
        const small = { memoryBytes: 0, reservedRunBytes: 0 };
        const next = codes.length === 1 ? await openModel(llama, { deviceShare: 1 }) : await openModel(llama);
        others.push(next);
        return codes.length === 1 ? { ...next.engine, device: small } : next.engine;
      },
    });
    const others: (typeof first)[] = [];
    expect(await generate(first.model, [prompt])).toEqual([greedy[0]]);
    expect(codes).toEqual(['DEVICE_LOST', 'BUDGET_TOO_SMALL']);
    for (const other of others) await other[Symbol.asyncDispose]();
  });
});

describe('the keys of a sequence', () => {
  // Frequencies that change with the length (dynamic: old keys stay; longrope: all are computed again), and a recurrent state.
  it.each(['llama-rope-dynamic', 'phi3-longrope', 'qwen3-next'])(
    'are written as they were: %s',
    async (name) => {
      const golden = await readCase(name);
      const ids = golden.prompts.map(({ input_ids }) => input_ids);
      await using opened = await openFailing(golden, [lostAt(50), lostAt(20)]);
      expect(await generate(opened.model, ids)).toEqual(golden.prompts.map((one) => one.greedy));
      expect(opened.losses).toHaveLength(2);
    },
  );
});

describe('while a device is replaced', () => {
  it('an abort ends the run, and the next one goes on with the new device', async () => {
    const controller = new AbortController();
    await using opened = await openFailing(llama, [lostAt(30)], { onRecover: () => controller.abort() });
    const aborted = generate(opened.model, [prompt], { signal: controller.signal });
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await generate(opened.model, [prompt])).toEqual([greedy[0]]);
    expect(opened.engines).toHaveLength(2);
  });

  it('closing waits for the end of it', async () => {
    let closed: Promise<void> | undefined;
    await using opened = await openFailing(llama, [lostAt(30)], {
      onRecover: () => {
        closed = opened.model.close();
      },
    });
    await expect(generate(opened.model, [prompt])).rejects.toMatchObject({ code: 'ABORTED' });
    await closed;
    expect(opened.losses[0]?.signal.aborted).toBe(true);
    expect(opened.engines.map(({ held }) => held.runs)).toEqual([0, 0]);
  });
});
