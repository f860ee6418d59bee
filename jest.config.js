// Every project's tests in one run; `npm test -- --only <pattern>` narrows it.
export default {
  projects: [
    '<rootDir>/packages/*/jest.config.js',
    '<rootDir>/apps/*/jest.config.js',
    '<rootDir>/tooling/bootstrap/jest.config.js',
  ],
  // Native ES modules are never unloaded: a worker that has grown past this is replaced between files.
  workerIdleMemoryLimit: '1GB',
};
