import { type FromPretrainedOptions, resolveOptions } from './resolve-options.js';

describe('resolveOptions', () => {
  it('has the defaults of AirLLM where both have the option', () => {
    expect(resolveOptions()).toMatchObject({
      checkpoint: {},
      device: 'auto',
      onDeviceLost: 'throw',
      dtype: 'auto',
      prefetching: true,
      rememberExperts: true,
      profilingMode: false,
      threads: undefined,
      precision: 'exact',
      maxSeqLen: undefined,
    });
  });

  it('takes null as left out', () => {
    const nothing = {
      compression: null,
      memory: { host: null, device: null },
      prefetching: null,
      signal: null,
    };
    expect(resolveOptions(nothing)).toMatchObject({ prefetching: true, checkpoint: {} });
  });

  it('passes on what is given', () => {
    const signal = new AbortController().signal;
    const onProgress = (): void => undefined;
    const resolved = resolveOptions({
      memory: { host: '512MB' },
      threads: 3,
      precision: 'fast',
      maxSeqLen: 77,
      device: 'reference',
      onDeviceLost: 'fallback',
      prefetching: false,
      rememberExperts: false,
      deleteOriginal: false,
      hfToken: 't',
      revision: 'r',
      cacheDir: 'c',
      offline: true,
      onProgress,
      signal,
    });
    expect(resolved).toMatchObject({
      hostBytes: 512_000_000,
      threads: 3,
      precision: 'fast',
      maxSeqLen: 77,
      device: 'reference',
      onDeviceLost: 'fallback',
      prefetching: false,
      rememberExperts: false,
      checkpoint: { hfToken: 't', revision: 'r', cacheDir: 'c', offline: true, onProgress, signal },
    });
  });

  it('asks for shards where an option needs them', () => {
    expect(resolveOptions({}).shards).toBeUndefined();
    expect(resolveOptions({ compression: '4bit', doubleQuantization: true }).shards).toMatchObject({
      ...{ format: '4bit', doubleQuantization: true, deleteOriginal: false, baseFolder: undefined },
    });
    expect(resolveOptions({ layerShardsSavingPath: '/x' }).shards).toMatchObject({
      ...{ format: 'none', baseFolder: '/x' },
    });
    expect(resolveOptions({ deleteOriginal: true }).shards).toMatchObject({
      format: 'none',
      deleteOriginal: true,
    });
    expect(() => resolveOptions({ compression: '8bit', doubleQuantization: true })).toThrow(
      /doubleQuantization/,
    );
  });

  it.each<[unknown, string]>([
    [{ compression: '5bit' }, 'compression'],
    [{ device: 'tpu' }, 'device'],
    [{ dtype: 'int8' }, 'dtype'],
    [{ threads: 0 }, 'threads'],
    [{ precision: 'half' }, 'precision'],
    [{ maxSeqLen: 1.5 }, 'maxSeqLen'],
    [{ prefetching: 'yes' }, 'prefetching'],
    [{ hfToken: '' }, 'hfToken'],
    [{ memory: '512MB' }, 'memory'],
    [{ memory: { host: true } }, 'memory.host'],
    [{ memory: { host: 'lots' } }, 'memory.host'],
    [{ memory: { device: true } }, 'memory.device'],
    [{ memory: { device: '0%' } }, 'memory.device'],
    [{ onProgress: 1 }, 'onProgress'],
    [{ signal: {} }, 'signal'],
    ['x', 'options'],
  ])('refuses %p, naming the field', (options, option) => {
    expect(() => resolveOptions(options as FromPretrainedOptions)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(new RegExp(`^Expected .+ for ${option} but received `)),
        fields: expect.objectContaining({ option }),
      }),
    );
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ max_seq_len: 5 }, /^Unknown option max_seq_len\. Did you mean maxSeqLen\?$/],
    [{ memory: { hots: 5 } }, /^Unknown option memory\.hots\. Did you mean memory\.host\?$/],
    [{ temperature: 1 }, /^Unknown option temperature\. Known are memory, device, /],
  ])('refuses an unknown name in %p with the nearest known one', (options, message) => {
    expect(() => resolveOptions(options as FromPretrainedOptions)).toThrow(message);
  });
});
