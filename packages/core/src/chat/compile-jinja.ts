// A Jinja template with the global names that transformers gives its chat templates. The language itself is
// @huggingface/jinja; its `Template` is not used because its date names follow the locale of the machine.

import { jinjaLibrary } from './jinja-library.js';
import { strftime } from './strftime.js';

const { Environment, Interpreter, parse, tokenize } = jinjaLibrary;

/** A `range` longer than this is a mistake or an attack. */
const MAX_RANGE = 1_000_000;

/**
 * Parses a template; the result renders it with given variables, which may not take the name of a global.
 *
 * @throws a plain `Error` on a syntax error, and when rendering fails or the template calls `raise_exception`
 */
export function compileJinja(source: string): (variables: Readonly<Record<string, unknown>>) => string {
  const program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
  return (variables) => {
    const environment = new Environment();
    for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value);
    return String(new Interpreter(environment).run(program).value);
  };
}

const globals = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
  range,
  raise_exception(message: string): never {
    throw new Error(message);
  },
  strftime_now: (format: string): string => strftime(new Date(), format),
};

/** Python's `range(stop)` and `range(start, stop, step)`. */
function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  const count = Math.max(0, Math.ceil((stop - start) / step));
  if (!(count <= MAX_RANGE)) throw new Error(`range of ${count} numbers (at most ${MAX_RANGE})`);
  return Array.from({ length: count }, (_, i) => start + i * step);
}
