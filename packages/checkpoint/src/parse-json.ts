// JSON as Python writes it: `json.dump` emits Infinity, -Infinity and NaN, which are not JSON, and
// published config.json files hold them (Nemotron-H's `time_step_limit`).

import { CheckpointError } from './checkpoint-error.js';

/**
 * Parses JSON, with `Infinity` and `-Infinity` as numbers and `NaN` as null (JSON has no way to say it).
 *
 * @throws CheckpointError `INVALID_JSON`, naming `file`. The text stays out of the message.
 */
export function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const repaired = replaceNonFinite(text);
    if (repaired !== undefined) {
      try {
        return JSON.parse(repaired);
      } catch {
        // The first error is the one to report.
      }
    }
    throw new CheckpointError('INVALID_JSON', `Expected ${file} to be JSON. It is damaged: fetch it again.`, {
      fields: { file },
      cause,
    });
  }
}

/** The text with the three words replaced outside strings; undefined when there is none. Linear time. */
function replaceNonFinite(text: string): string | undefined {
  let inString = false;
  let replaced = false;
  const result = text.replace(/\\[\s\S]|"|-?Infinity|NaN/g, (token) => {
    if (token === '"') inString = !inString;
    if (inString || token === '"' || token.startsWith('\\')) return token;
    replaced = true;
    // 1e999 is beyond every double, so it reads as infinity.
    return token === 'NaN' ? 'null' : token.replace('Infinity', '1e999');
  });
  return replaced ? result : undefined;
}
