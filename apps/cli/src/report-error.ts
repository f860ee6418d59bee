// Errors as people read them: the message and the code; a stack only for what is our fault.

import { AirllmError } from '@airllm/core';
import pc from 'picocolors';

/** Writes the error to standard error. Returns the exit code: 130 after an abort, otherwise 1. */
export function reportError(error: unknown): number {
  if (AirllmError.isInstance(error)) {
    if (error.code === 'ABORTED') {
      process.stderr.write(`\n${pc.dim('interrupted')}\n`);
      return 130;
    }
    process.stderr.write(`${pc.red('error')} ${error.message} ${pc.dim(`[${error.code}]`)}\n`);
  } else {
    process.stderr.write(
      `${pc.red('error')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  }
  return 1;
}
