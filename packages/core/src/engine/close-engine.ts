// Closes what may be broken: a device that is gone neither ends what waits for it nor always says so.

/** Milliseconds. */
const PATIENCE = 10_000;

/** Never rejects, and waits no longer than `patience` milliseconds; returns what went wrong. */
export async function closeBroken(engine: AsyncDisposable, patience = PATIENCE): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`it had not closed after ${patience / 1000} s`), patience);
  });
  const closed = (async () => engine[Symbol.asyncDispose]())().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const problem = await Promise.race([closed, tooLong]);
  clearTimeout(timer);
  return problem;
}
