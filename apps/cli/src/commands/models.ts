// `airllm models`: the supported architectures, and what given config.json files would run as.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeConfig, parseJson, supportedModels, type ConfigDescription } from '@airllm/core';
import { createTable } from '../table.js';

interface DescribedConfig {
  readonly path: string;
  readonly description: ConfigDescription;
}

export async function printModels(
  paths: readonly string[],
  flags: { json?: boolean; markdown?: boolean },
): Promise<void> {
  const described = await Promise.all((await findConfigs(paths)).map(describeFile));
  const configs = described.filter((config) => config !== undefined);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(paths.length > 0 ? configs : supportedModels(), null, 2)}\n`);
    return;
  }
  const render = flags.markdown ? renderMarkdown : renderTable;
  process.stdout.write(paths.length > 0 ? formatConfigs(configs, render) : formatFamilies(render));
}

type Render = (head: string[], rows: string[][]) => string;

const renderTable: Render = (head, rows) => {
  const table = createTable(head);
  table.push(...rows);
  return `${table.toString()}\n`;
};

const renderMarkdown: Render = (head, rows) =>
  [head, head.map(() => '---'), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('\n', ', ')).join(' | ')} |\n`)
    .join('');

function formatFamilies(render: Render): string {
  const rows = supportedModels().map(({ family, architectures, modelTypes }) => [
    family,
    architectures.join('\n'),
    modelTypes.join('\n'),
  ]);
  return render(['family', 'architectures', 'model_type'], rows);
}

function formatConfigs(configs: readonly DescribedConfig[], render: Render): string {
  const rows = configs.map(({ path, description }) => {
    if (!description.supported) return [path, `${description.code} ${refused(description.fields)}`, '', ''];
    const { family, layers, parameters } = description;
    return [path, family, String(layers), `${(parameters / 1e9).toFixed(2)} B`];
  });
  const supported = configs.filter(({ description }) => description.supported).length;
  return (
    render(['config', 'runs as', 'layers', 'parameters'], rows) +
    `\n${supported} of ${configs.length} run; the others are refused by name\n`
  );
}

/** The name of what is not supported. */
function refused(fields: Readonly<Record<string, unknown>>): string {
  const name = fields['architecture'] ?? fields['found'] ?? fields['field'];
  return typeof name === 'string' ? name : (JSON.stringify(name) ?? '');
}

/** Undefined for files that are no model's: tokenizer_config.json, generation_config.json … */
async function describeFile(path: string): Promise<DescribedConfig | undefined> {
  const config = parseJson(await readFile(path, 'utf8'), path);
  const isModel =
    typeof config === 'object' && config !== null && ('architectures' in config || 'model_type' in config);
  return isModel ? { path, description: describeConfig(config) } : undefined;
}

/** Files as given; of folders, every file below that ends in config.json. */
async function findConfigs(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      if (!(await stat(path)).isDirectory()) return [path];
      const names = await readdir(path, { recursive: true });
      return names.filter((name) => name.endsWith('config.json')).map((name) => join(path, name));
    }),
  );
  return found.flat().sort();
}
