// Tries a device in a process of its own, so that a driver that crashes or hangs ends or holds up that one alone.

import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { ANSWER_FD, MAX_ANSWER_BYTES, parseDeviceAnswer, type DeviceAnswer } from './device-answer.js';
import type { GpuDeviceName } from './gpu-devices.js';
import { PACKAGE_DIR } from '../package-dir.js';

export interface TryInChildOptions {
  /** Default: `AIRLLM_DEVICE_TIMEOUT` seconds, else 20 s: a driver may compile its first kernel. */
  readonly timeoutMs?: number;
  /** Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Of the child. Default: the one of this package. */
  readonly program?: string;
}

/** A reason that says that something is broken, and not that it is not there. */
export interface BrokenDevice {
  readonly works: false;
  readonly reason: string;
  readonly isBroken: true;
}

export type ChildAnswer = DeviceAnswer | BrokenDevice;

const DEFAULT_TIMEOUT_MS = 20_000;
const MAX_TIMEOUT_SECONDS = 3600;
/** As it is compiled, wherever this file runs from. */
const PROGRAM = fileURLToPath(new URL('dist/devices/try-device-child.js', PACKAGE_DIR));
const MAX_ERROR_BYTES = 4096;

/** Never rejects: whatever happens to the child is a reason. */
export async function tryInChild(
  device: GpuDeviceName,
  options: TryInChildOptions = {},
): Promise<ChildAnswer> {
  const { env = process.env, timeoutMs = defaultTimeout(env), program = PROGRAM } = options;
  const child = spawn(process.execPath, [program, device], {
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  const kill = (): void => void child.kill('SIGKILL');
  // One that hangs must not stay behind.
  process.once('exit', kill);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, timeoutMs);
  try {
    const errors = collect(child.stdio[2], MAX_ERROR_BYTES);
    const answer = collect(child.stdio[ANSWER_FD], MAX_ANSWER_BYTES);
    const { code, signal, error } = await new Promise<Ending>((resolve) => {
      child.once('error', (error) => resolve({ code: null, signal: null, error }));
      child.once('close', (code, signal) => resolve({ code, signal, error: undefined }));
    });
    if (error) return broken(`no process could be started to try it: ${error.message}`);
    if (timedOut) return broken(`its driver did not answer within ${timeoutMs / 1000} s`);
    const said = lastLine(errors());
    if (signal) return broken(`its driver ended the process that tried it (${signal})${said}`);
    if (code !== 0) return broken(`the process that tried it ended with code ${code}${said}`);
    return parseDeviceAnswer(answer()) ?? broken('the process that tried it gave no answer that can be read');
  } finally {
    clearTimeout(timer);
    process.off('exit', kill);
  }
}

function defaultTimeout({ AIRLLM_DEVICE_TIMEOUT }: NodeJS.ProcessEnv): number {
  const seconds = Number(AIRLLM_DEVICE_TIMEOUT);
  return seconds > 0 && seconds <= MAX_TIMEOUT_SECONDS ? seconds * 1000 : DEFAULT_TIMEOUT_MS;
}

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error: Error | undefined;
}

/** What arrives on a stream, as far as `maxBytes`; the rest is read and dropped. */
function collect(stream: unknown, maxBytes: number): () => string {
  if (!(stream instanceof Readable)) return () => '';
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes));
    bytes += chunk.byteLength;
  });
  stream.on('error', () => undefined); // The child's end says more.
  return () => Buffer.concat(chunks).toString('utf8');
}

function lastLine(text: string): string {
  const line = text.trim().split('\n').at(-1)?.trim() ?? '';
  return line === '' ? '' : `: ${line.slice(0, 200)}`;
}

function broken(reason: string): BrokenDevice {
  return { works: false, reason, isBroken: true };
}
