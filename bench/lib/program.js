// What every benchmark has around it: options, the machine's name, a table, an exit status that says whether the
// promises are kept.

import { arch, availableParallelism, cpus, loadavg, platform } from 'node:os';
import { parseArgs } from 'node:util';
import { formatTable, keepsPromises } from './table.js';

/**
 * Runs `measure`, which gets the parsed options and resolves to rows, and prints them: as a table, or as one line of
 * JSON with `--json`. `defaults` are the options with their default values: numbers stay numbers, the rest is text.
 */
export async function runProgram({ about, defaults, measure }) {
  const options = readOptions(about, defaults);
  const machine = describeMachine();
  const rows = await measure(options);
  if (options.json) {
    console.log(JSON.stringify(rows));
  } else {
    console.log(`${about}\n${machine}\n\n${formatTable(rows)}`);
  }
  process.exitCode = keepsPromises(rows) ? 0 : 1;
}

/** One line; the load is that of the last minute, so it is asked for before anything is measured. */
export function describeMachine() {
  const [load = 0] = loadavg();
  return (
    `${cpus()[0]?.model ?? arch()}, ${availableParallelism()} threads, ${platform()} ${arch()}, Node ${process.version}, ` +
    `load ${load.toFixed(1)}`
  );
}

function readOptions(about, defaults) {
  const names = Object.keys(defaults);
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log([about, '', ...names.map((name) => `  --${name} ${defaults[name]}`), '  --json'].join('\n'));
    process.exit(0);
  }
  return { ...defaults, json: values.json, ...readValues(values, defaults) };
}

function readValues(values, defaults) {
  const given = Object.keys(defaults).filter((name) => values[name] !== undefined);
  return Object.fromEntries(
    given.map((name) => {
      if (typeof defaults[name] !== 'number') return [name, values[name]];
      const number = Number(values[name]);
      if (Number.isSafeInteger(number) && number > 0) return [name, number];
      throw new RangeError(`Expected --${name} to be a positive integer but received ${values[name]}`);
    }),
  );
}
