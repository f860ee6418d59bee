// How the sources are held to docs and style: type-checked rules for TypeScript, plain ones for scripts, and the
// direction of imports between packages (eslint.imports.js).
import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { allowedImports, importRules, publishedImportRules } from './eslint.imports.js';

const TYPESCRIPT = ['**/*.ts', '**/*.tsx'];
const SCRIPTS = ['**/*.js', '**/*.mjs'];
const TESTS = ['**/*.spec.ts', '**/*.spec.mjs', '{packages,apps,tooling}/*/test/**'];

const nodeGlobals = Object.fromEntries(
  [
    'AbortController',
    'AbortSignal',
    'Buffer',
    'URL',
    'console',
    'fetch',
    'performance',
    'process',
    'structuredClone',
  ]
    .concat([
      'TextDecoder',
      'TextEncoder',
      'clearInterval',
      'clearTimeout',
      'setImmediate',
      'setInterval',
      'setTimeout',
    ])
    .map((name) => [name, 'readonly']),
);
const jestGlobals = Object.fromEntries(
  ['afterAll', 'afterEach', 'beforeAll', 'beforeEach', 'describe', 'expect', 'it', 'test'].map((name) => [
    name,
    'readonly',
  ]),
);

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '{packages,apps}/*/build/',
      '**/.turbo/',
      '**/.cache/',
      '**/coverage/',
      '**/*.d.ts',
    ],
  },
  js.configs.recommended,
  {
    rules: {
      'max-lines': ['warn', { max: 300 }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'prefer-const': 'error',
    },
  },
  {
    files: TYPESCRIPT,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // An async method without await is how an interface's implementation says that it is done at once.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
    },
  },
  {
    files: SCRIPTS,
    languageOptions: { globals: nodeGlobals },
    rules: { 'no-unused-vars': ['error', { argsIgnorePattern: '^_' }] },
  },
  { files: ['{packages,apps}/*/{src,bin}/**'], rules: importRules('a package without a row', []) },
  ...Object.entries(allowedImports).map(([folder, allowed]) => ({
    files: [`${folder}/{src,bin}/**`],
    rules: importRules(folder, allowed),
  })),
  {
    files: ['{packages,apps}/**/*.spec.ts', '{packages,apps}/*/test/**', '{bench,tooling}/**'],
    rules: publishedImportRules,
  },
  { files: TESTS, languageOptions: { globals: jestGlobals } },
  {
    // Specs are not part of a package's build, so they have a project of their own.
    files: ['**/*.spec.ts', '{packages,apps,tooling}/*/test/**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, project: './tsconfig.specs.json' } },
    rules: {
      'max-lines': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
