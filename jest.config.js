import preset from '@airllm/jest-preset';

// Every project's tests in one run; `npm test -- --only <pattern>` narrows it.
export default {
  projects: [
    '<rootDir>/packages/*/jest.config.js',
    '<rootDir>/apps/*/jest.config.js',
    '<rootDir>/tooling/*/jest.config.js',
  ],
  // Read from the root alone when there are several projects.
  testTimeout: preset.testTimeout,
  // Native ES modules are never unloaded: a worker that has grown past this is replaced between files.
  workerIdleMemoryLimit: '1GB',
};
