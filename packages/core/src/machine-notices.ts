// Lines for the user where the machine does not give what the options count on.

/**
 * @param machine.availableBytes what this process may have in all: what it holds and what is free
 * @param machine.bufferedReason why reads go through the page cache, if they do
 */
export function machineNotices(machine: {
  readonly hostBytes: number;
  readonly availableBytes: number;
  readonly bufferedReason: string | undefined;
}): string[] {
  const { hostBytes, availableBytes, bufferedReason } = machine;
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
  ];
}
