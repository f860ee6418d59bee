import preset from '@airllm/jest-preset';

// Plain JavaScript, like what it tests: nothing here is compiled.
export default { ...preset, testMatch: ['<rootDir>/test/**/*.spec.mjs'] };
