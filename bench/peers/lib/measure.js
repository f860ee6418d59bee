// One run of one engine under a hard memory limit with cold caches, and the choice of its best setting.

import { dropCaches } from '../../lib/drop-caches.js';
import { progress } from '../../lib/progress.js';
import { runProcess } from '../../lib/run-node.js';

/** No progress bars from Python. */
const QUIET = { HF_HUB_DISABLE_PROGRESS_BARS: '1', TQDM_DISABLE: '1', TRANSFORMERS_VERBOSITY: 'error' };
/** Decode passes of a trial. */
const TRIAL_TOKENS = 2;

/** Resolves to { rate, storageBytes (per token), peakBytes, tokenIds, … } or { failed: reason }. */
export async function measureEngine(engine, setting, run) {
  await dropCaches();
  try {
    const { exitCode, result, peakBytes } = await runProcess(engine.command(setting, run), {
      limitBytes: run.limitBytes,
      env: QUIET,
    });
    if (exitCode !== 0) return { failed: `ended with ${exitCode}` };
    return {
      ...result,
      rate: result.tokens / result.seconds,
      storageBytes: result.storageBytes / result.tokens,
      peakBytes,
    };
  } catch (error) {
    return { failed: error.message };
  }
}

/** The fastest setting by a short run each; undefined where none works. */
export async function chooseSetting(engine, run) {
  if (engine.settings.length === 1) return engine.settings[0];
  let best;
  for (const setting of engine.settings) {
    const result = await measureEngine(engine, setting, { ...run, tokens: TRIAL_TOKENS });
    progress(
      `  try ${engine.name}, ${setting.name}: ${result.failed ?? `${result.rate.toFixed(3)} tokens/s`}`,
    );
    if (result.failed === undefined && !(best?.rate > result.rate)) best = { setting, rate: result.rate };
  }
  return best?.setting;
}
