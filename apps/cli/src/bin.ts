#!/usr/bin/env node
// The `airllm` command.

import { createProgram } from './program.js';
import { reportError } from './report-error.js';

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = reportError(error);
}
