// Where the hub is, where its cache is and who asks: options first, then the environment variables that
// Python's huggingface_hub reads, then its defaults.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { CheckpointError } from '../checkpoint-error.js';
import { readFile } from 'node:fs/promises';

export interface HubOptions {
  /** Default: `HF_TOKEN`, then the file `HF_TOKEN_PATH` or `$HF_HOME/token`. */
  readonly hfToken?: string;
  /** Default: `HF_HUB_CACHE`, then `$HF_HOME/hub`, then `~/.cache/huggingface/hub`. */
  readonly cacheDir?: string;
  /** Use the cache alone. Default: true when `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is set. */
  readonly offline?: boolean;
  /** Default: `HF_ENDPOINT`, then https://huggingface.co. */
  readonly endpoint?: string;
}

export interface HubSettings {
  readonly token: string | undefined;
  readonly cacheDir: string;
  readonly offline: boolean;
  /** Without a slash at the end. */
  readonly endpoint: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Applies environment and defaults. @throws CheckpointError `INVALID_OPTION` for an endpoint that is no http(s) address. */
export async function resolveHubSettings(
  options: HubOptions,
  env: Environment = process.env,
): Promise<HubSettings> {
  const cacheHome = env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const hfHome = expandHome(env['HF_HOME'] || join(cacheHome, 'huggingface'));
  const cacheDir =
    options.cacheDir || env['HF_HUB_CACHE'] || env['HUGGINGFACE_HUB_CACHE'] || join(hfHome, 'hub');
  return {
    token: options.hfToken || (await resolveToken(env, hfHome)),
    cacheDir: expandHome(cacheDir),
    offline: options.offline ?? (isSet(env['HF_HUB_OFFLINE']) || isSet(env['TRANSFORMERS_OFFLINE'])),
    endpoint: checkEndpoint(options.endpoint || env['HF_ENDPOINT'] || 'https://huggingface.co'),
  };
}

async function resolveToken(env: Environment, hfHome: string): Promise<string | undefined> {
  if (isSet(env['HF_HUB_DISABLE_IMPLICIT_TOKEN'])) return undefined;
  const fromEnv = (env['HF_TOKEN'] || env['HUGGING_FACE_HUB_TOKEN'])?.trim();
  if (fromEnv) return fromEnv;
  try {
    return (
      (await readFile(expandHome(env['HF_TOKEN_PATH'] || join(hfHome, 'token')), 'utf8')).trim() || undefined
    );
  } catch {
    return undefined; // No one has logged in on this machine.
  }
}

function isSet(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}

function expandHome(path: string): string {
  return path === '~' || /^~[/\\]/.test(path) ? join(homedir(), path.slice(1)) : path;
}

function checkEndpoint(endpoint: string): string {
  if (!/^https?:\/\//.test(endpoint) || !URL.canParse(endpoint)) {
    throw new CheckpointError(
      'INVALID_OPTION',
      `Expected the hub's endpoint to be an http(s) address but found ${JSON.stringify(endpoint)}. Check HF_ENDPOINT.`,
      { fields: { endpoint } },
    );
  }
  return endpoint.replace(/\/+$/, '');
}
