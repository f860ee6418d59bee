// Writes docs/models.md from what `airllm models` says: the families, and what the published configs of the shared
// data folder would run as. Run after a build: `node tooling/bootstrap/models-doc.mjs`.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const configs = join(process.env.AIRLLM_SHARED_DATA ?? join(root, '../shared/data'), 'configs');
if (!existsSync(configs)) {
  console.error(`models-doc: expected published configs at ${configs} (set AIRLLM_SHARED_DATA)`);
  process.exit(1);
}

const airllm = (...args) =>
  execFileSync(process.execPath, [join(root, 'apps/cli/dist/bin.js'), 'models', '--markdown', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });

const text = `# Models

Written by \`node tooling/bootstrap/models-doc.mjs\` from \`airllm models\`.

## Families

${airllm()}
## Published configs

What \`airllm models <folder>\` says of a set of published config.json files: the family each maps to, with every tensor
name and shape enumerated, or the name of what is not supported. Parameters are those that are used.

${airllm(configs).replaceAll(`${configs}/`, '')}`;
writeFileSync(join(root, 'docs/models.md'), text);
