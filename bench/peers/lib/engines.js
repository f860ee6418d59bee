// The engines and the settings each may choose among. A setting is tried once per limit and the fastest one counts: nobody
// is measured with a setting that does not suit it.

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const TIMED_RUN = path('../../lib/timed-run.js');
const LLAMA = path('../engines/llama.js');
const ACCELERATE = path('../engines/accelerate_offload.py');
const PYTHON = path('../../../.cache/peers/venv/bin/python');
const LLAMA_MODULE = path('../node_modules/node-llama-cpp/package.json');

/**
 * Each engine has a `name`, `settings` (objects with a `name`), `missing` (why it cannot run, if so) and `command(setting,
 * run)`, where `run` is { folder, gguf, prompt, tokens, limitBytes, scratch }.
 */
export function listEngines() {
  const threads = availableParallelism();
  return [
    {
      name: 'airllm',
      settings: [{ name: 'memory.host = limit' }],
      missing: undefined,
      command: (_, { folder, promptLength, tokens, limitBytes }) => [
        process.execPath,
        TIMED_RUN,
        JSON.stringify({ folder, host: limitBytes, prompt: promptLength, tokens }),
      ],
    },
    {
      name: 'node-llama-cpp',
      settings: [
        { name: `mmap, ${threads} threads`, threads, useMmap: true, useMlock: false },
        { name: 'mmap, 1 thread', threads: 1, useMmap: true, useMlock: false },
        { name: `mmap + mlock, ${threads} threads`, threads, useMmap: true, useMlock: true },
        { name: `no mmap, ${threads} threads`, threads, useMmap: false, useMlock: false },
      ],
      missing: existsSync(LLAMA_MODULE) ? undefined : 'not installed: bench/peers/setup.sh',
      command: ({ threads, useMmap, useMlock }, { gguf, prompt, tokens }) => [
        process.execPath,
        LLAMA,
        JSON.stringify({ gguf, prompt, tokens, threads, useMmap, useMlock }),
      ],
    },
    {
      name: 'Accelerate disk offload',
      settings: [0.25, 0.5, 0.75].map((share) => ({
        name: `${Math.round(share * 100)}% of the limit kept free`,
        share,
      })),
      missing: existsSync(PYTHON) ? undefined : 'not installed: bench/peers/setup.sh',
      command: ({ share }, { folder, prompt, tokens, limitBytes, scratch }) => [
        PYTHON,
        ACCELERATE,
        JSON.stringify({
          ...{ folder, prompt, tokens, threads, limitBytes },
          ...{ offload: scratch, headroomBytes: Math.round(limitBytes * share) },
        }),
      ],
    },
  ];
}
