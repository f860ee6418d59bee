// The one jest configuration: TypeScript tests beside the sources, run as native ES modules.
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

// Tests leave the user's own cache alone.
process.env.AIRLLM_CACHE ??= join(tmpdir(), 'airllm-test-cache');

export default {
  testEnvironment: 'node',
  // Milliseconds. Only a test that hangs should meet it: a shared machine of two cores may be ten times slower.
  testTimeout: 120_000,
  testMatch: ['<rootDir>/src/**/*.spec.ts', '<rootDir>/test/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      require.resolve('@swc/jest'),
      {
        jsc: { parser: { syntax: 'typescript', explicitResourceManagement: true }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
};
