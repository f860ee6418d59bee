// Several tasks at a time, all stopped when one fails or the caller aborts; none is left running.

/**
 * Runs `task` for every item, at most `limit` at once. The first error aborts the signal the others got and
 * is thrown once all have ended.
 */
export async function runLimited<T>(
  items: readonly T[],
  options: { limit: number; signal?: AbortSignal | undefined },
  task: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => controller.abort(options.signal?.reason);
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener('abort', stop);

  const queue = [...items];
  let failure: { error: unknown } | undefined;
  const work = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      controller.signal.throwIfAborted();
      await task(item, controller.signal);
    }
  };
  const workers = Array.from({ length: Math.min(options.limit, items.length) }, () =>
    work().catch((error: unknown) => {
      failure ??= { error };
      controller.abort();
    }),
  );
  await Promise.all(workers);
  options.signal?.removeEventListener('abort', stop);
  if (failure !== undefined) throw failure.error;
}
