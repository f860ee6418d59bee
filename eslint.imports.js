// Which workspace packages each folder may import: the arrows of docs/architecture.md, as data. Imports point one way;
// a package that is missing here may import none. eslint.config.js turns each row into a rule.

const errors = ['@airllm/errors'];
const backend = ['@airllm/backend', '@airllm/backend/reference', '@airllm/backend/conformance'];
const modelZoo = ['@airllm/model-zoo'];
const layerStore = ['@airllm/layer-store'];

/** Folder → specifiers its sources may import. */
export const allowedImports = {
  'packages/errors': [],
  'packages/safetensors-js': [],
  'packages/demo-model': [],
  'packages/backend': errors,
  'packages/native': errors,
  'packages/direct-io': [...errors, '@airllm/native'],
  'packages/torch-pickle': errors,
  'packages/tokenizer-formats': errors,
  'packages/checkpoint': [...errors, 'safetensors-js', '@airllm/torch-pickle'],
  'packages/quantizer': [...errors, '@airllm/native'],
  'packages/sharder': [...errors, 'safetensors-js', '@airllm/checkpoint', '@airllm/quantizer'],
  'packages/gguf-checkpoint': [...errors, '@airllm/checkpoint', '@airllm/tokenizer-formats'],
  'packages/native-submission': backend,
  'packages/cpu-backend': [...errors, ...backend, '@airllm/native', '@airllm/native-submission'],
  'packages/cuda-backend': [...errors, ...backend, '@airllm/native', '@airllm/native-submission'],
  'packages/webgpu-backend': [...errors, ...backend],
  'packages/metal-backend': [...errors, ...backend, '@airllm/webgpu-backend'],
  'packages/model-zoo': [...errors, ...backend],
  'packages/layer-store': [...errors, ...backend, '@airllm/direct-io'],
  'packages/generate': [...errors, ...backend, ...modelZoo, ...layerStore],
  'packages/core': [
    ...errors,
    ...backend,
    ...modelZoo,
    ...layerStore,
    'safetensors-js',
    '@airllm/checkpoint',
    '@airllm/cpu-backend',
    '@airllm/cuda-backend',
    '@airllm/generate',
    '@airllm/gguf-checkpoint',
    '@airllm/metal-backend',
    '@airllm/native',
    '@airllm/quantizer',
    '@airllm/sharder',
    '@airllm/tokenizer-formats',
    '@airllm/webgpu-backend',
  ],
  'apps/vector-search': ['@airllm/backend', '@airllm/cpu-backend', '@airllm/webgpu-backend'],
  'apps/cli': ['@airllm/core', '@airllm/demo-model'],
};

const testOnly = [
  '@airllm/cuda-backend/emulated',
  '@airllm/demo-model',
  '@airllm/fixtures',
  '@airllm/synthetic-checkpoint',
  '@airllm/jest-preset',
  '@airllm/jest-preset/swiftshader-environment',
  '@airllm/jest-preset/totals-reporter',
];
const everySpecifier = [
  ...new Set([...testOnly, '@airllm/quantizer', ...Object.values(allowedImports).flat()]),
];

// `../other/src/…` leaves the package by the back door; `../src/…` from a package's own test folder does not.
const INTO_ANOTHER_FOLDER = '(?:\\.\\./)+[^./][^/]*/(?:src|dist)/.*';

/** The rules that hold a folder to `allowed`; both the static and the dynamic form of an import are seen. */
export function importRules(folder, allowed) {
  const names = allowed.map((name) => name.replaceAll('.', '\\.')).join('|');
  const ours = '(?:@airllm/.*|safetensors-js(?:/.*)?|airllm(?:/.*)?)';
  const forbidden = `^(?:${allowed.length > 0 ? `(?!(?:${names})$)` : ''}${ours}|${INTO_ANOTHER_FOLDER})$`;
  const message = `${folder} may import: ${allowed.join(', ') || 'no workspace package'} (table in eslint.imports.js).`;
  const dynamicImport = `ImportExpression[source.value=/${forbidden.replaceAll('/', '\\u002F')}/]`;
  return {
    'no-restricted-imports': ['error', { patterns: [{ regex: forbidden, message }] }],
    'no-restricted-syntax': ['error', { selector: dynamicImport, message }],
  };
}

/** Tests, tools and benchmarks may use any published entry point of the workspace, for fixtures and reference results. */
export const publishedImportRules = importRules('A test, tool or benchmark', everySpecifier);
