// `airllm models`: the supported architectures, and what given config.json files would run as.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describeConfig, parseJson, supportedModels, type ConfigDescription } from '@airllm/core';
import pc from 'picocolors';
import { createTable } from '../table.js';

interface DescribedConfig {
  readonly path: string;
  readonly description: ConfigDescription;
}

export async function printModels(paths: readonly string[], flags: { json?: boolean }): Promise<void> {
  const described = await Promise.all((await findConfigs(paths)).map(describeFile));
  const configs = described.filter((config) => config !== undefined);
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(paths.length > 0 ? configs : supportedModels(), null, 2)}\n`);
  } else if (paths.length > 0) {
    process.stdout.write(formatConfigs(configs));
  } else {
    process.stdout.write(formatFamilies());
  }
}

function formatFamilies(): string {
  const table = createTable(['family', 'architectures', 'model_type']);
  for (const { family, architectures, modelTypes } of supportedModels()) {
    table.push([family, architectures.join('\n'), modelTypes.join('\n')]);
  }
  return `${table.toString()}\n`;
}

function formatConfigs(configs: readonly DescribedConfig[]): string {
  const table = createTable(['config', 'runs as', 'layers', 'parameters']);
  for (const { path, description } of configs) {
    if (description.supported) {
      const { family, layers, parameters } = description;
      table.push([path, family, String(layers), `${(parameters / 1e9).toFixed(2)} B`]);
    } else {
      table.push([path, pc.dim(`${description.code} ${refused(description.fields)}`), '', '']);
    }
  }
  const supported = configs.filter(({ description }) => description.supported).length;
  return `${table.toString()}\n${supported} of ${configs.length} run; the others are refused by name\n`;
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
