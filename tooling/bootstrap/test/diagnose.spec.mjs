// The inputs are lines that the tools print in these situations.
import { diagnose } from '../diagnose.mjs';

it.each([
  ['npm error code ENOTFOUND', 'The package registry'],
  [
    ' WARN  GET https://registry.npmjs.org/zod error (ECONNREFUSED). Will retry in 10 seconds.',
    'The package registry',
  ],
  [' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile"', 'pnpm install'],
  ['src/index.ts(3,7): error TS2322: Type "x" is not assignable to type "y".', 'tsc (TypeScript)'],
  [
    'x: Expected clang++ (clang++: 17; cmake: 3) to build the native addon but it failed. Repair it',
    'clang++',
  ],
  ['CMake Error at CMakeLists.txt:4 (find_package):', 'The native build'],
  ['g++: fatal error: Killed signal terminated program cc1plus', 'The native build'],
])('%s names %s', (line, culprit) => {
  expect(diagnose(`before\n${line}\nafter`)).toEqual({ culprit, hint: expect.stringMatching(/\S/) });
});

it('hints at an unwritable folder without blaming a tool', () => {
  expect(diagnose("Error: EACCES: permission denied, mkdir '/opt/x'")).toEqual({
    culprit: undefined,
    hint: expect.stringContaining('writable'),
  });
});

it('stays silent about what it does not know', () => {
  expect(diagnose('something else')).toEqual({});
});
