// Which files of a package others name.

const OUTPUT = /^\.\/dist\/(.+)\.js$/;

/**
 * Paths below `src`, without extension, of what `exports`, `bin` and `bundle.programs` name in `dist`.
 *
 * @throws TypeError where nothing is named
 */
export function entriesOf({ name, exports = {}, bin = {}, bundle = {} }) {
  const files = [
    ...Object.values(exports).map((target) => (typeof target === 'string' ? target : target.default)),
    ...Object.values(bin),
    ...(bundle.programs ?? []),
  ];
  const entries = new Set();
  for (const file of files) {
    const entry = OUTPUT.exec(file)?.[1];
    if (entry !== undefined) entries.add(entry);
  }
  if (entries.size === 0) throw new TypeError(`Expected ${name} to name a file of ./dist but it names none`);
  return [...entries].sort();
}
