// Download progress on standard error: one line that is rewritten on a terminal, one line a file elsewhere.

import type { FromPretrainedOptions } from '@airllm/core';
import { createLogUpdate } from 'log-update';
import prettyBytes from 'pretty-bytes';

export function createDownloadProgress(): NonNullable<FromPretrainedOptions['onProgress']> {
  const live = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
  return ({ file, receivedBytes, totalBytes }) => {
    const finished = receivedBytes >= totalBytes;
    const line = `${file} ${prettyBytes(receivedBytes)} of ${prettyBytes(totalBytes)}`;
    live?.(line);
    if (finished) {
      live?.done();
      if (!live) process.stderr.write(`${line}\n`);
    }
  };
}
