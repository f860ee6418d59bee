// Lines for the user where the machine does not give what the options count on.

/**
 * @param machine.availableBytes what this process may have in all: what it holds and what is free
 * @param machine.bufferedReason why reads go through the page cache, if they do
 * @param machine.readFallbackReason why the native reader is not there, if it is not
 */
export function machineNotices(machine: {
  readonly hostBytes: number;
  readonly availableBytes: number;
  readonly bufferedReason: string | undefined;
  readonly readFallbackReason: string | undefined;
}): string[] {
  const { hostBytes, availableBytes, bufferedReason, readFallbackReason } = machine;
  const megabytes = (bytes: number): string => `${Math.floor(bytes / 1e6)}MB`;
  return [
    ...(hostBytes > availableBytes
      ? [
          `memory.host is ${megabytes(hostBytes)} but this machine or its container has ${megabytes(availableBytes)} for this process: it may swap or be ended. Give less, or 'auto'.`,
        ]
      : []),
    ...(bufferedReason === undefined
      ? []
      : [`weights are read through the page cache, which takes memory of its own: ${bufferedReason}.`]),
    ...(readFallbackReason === undefined
      ? []
      : [`weights are read through node:fs, whose few threads everything shares. ${readFallbackReason}`]),
  ];
}
