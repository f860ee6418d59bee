// What is made of each way in which a process that tries a device can end.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryInChild } from './try-in-child.js';

const folder = mkdtempSync(join(tmpdir(), 'airllm-child-'));
afterAll(() => rmSync(folder, { recursive: true }));

let programs = 0;

/** A child that runs this; `answer` writes to where answers go. */
function program(code: string): string {
  const path = join(folder, `${programs++}.mjs`);
  writeFileSync(
    path,
    `import { writeSync } from 'node:fs';\nconst answer = (text) => writeSync(3, text);\n${code}\n`,
  );
  return path;
}

it('gives the answer, whatever a driver prints', async () => {
  const answer = { works: true, name: 'Some GPU', isSoftware: false };
  const code = `console.log('driver'); console.error('driver'); answer(${JSON.stringify(JSON.stringify(answer))});`;
  expect(await tryInChild('webgpu', { program: program(code) })).toEqual(answer);
});

it('gives a reason that is an answer', async () => {
  const answer = { works: false, reason: 'none here' };
  const code = `answer(${JSON.stringify(JSON.stringify(answer))});`;
  expect(await tryInChild('webgpu', { program: program(code) })).toEqual(answer);
});

it('tells the child the name of the device', async () => {
  const code = `answer(JSON.stringify({ works: true, name: process.argv[2], isSoftware: true }));`;
  expect(await tryInChild('webgpu', { program: program(code) })).toMatchObject({ name: 'webgpu' });
});

const ANSWER = `answer('{"works":true,"name":"x","isSoftware":false}');`;
it.each([
  [
    'a crash',
    `process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 1e6);`,
    /^its driver ended .*SIGSEGV/,
  ],
  ['an abort', `console.error('first\\nbad table'); process.abort();`, /^its driver ended .*SIGABRT/],
  [
    'a crash after the answer',
    `${ANSWER} process.kill(process.pid, 'SIGSEGV'); setTimeout(() => {}, 1e6);`,
    /SIGSEGV/,
  ],
  ['an exit code', `console.error('one\\ntwo'); process.exit(3);`, /ended with code 3: two$/],
  ['no answer', ``, /no answer that can be read/],
  ['garbage', `answer('\\x00\\xff{works');`, /no answer that can be read/],
  ['an answer of another shape', `answer('{"works":"yes"}');`, /no answer that can be read/],
  [
    'an answer without an end',
    `for (let i = 0; i < 100; i++) answer('x'.repeat(4096));`,
    /no answer that can be read/,
  ],
])('%s is a reason', async (_, code, reason) => {
  const answer = await tryInChild('webgpu', { program: program(code) });
  expect(answer).toEqual({ works: false, isBroken: true, reason: expect.stringMatching(reason) });
});

it('ends a child that does not answer in time', async () => {
  // Blocks its only thread, as a driver would.
  const answer = await tryInChild('webgpu', { program: program('for (;;);'), timeoutMs: 2000 });
  expect(answer).toMatchObject({
    works: false,
    isBroken: true,
    reason: 'its driver did not answer within 2 s',
  });
});

it('says when there is no program', async () => {
  const answer = await tryInChild('webgpu', { program: join(folder, 'none.mjs') });
  expect(answer).toMatchObject({
    works: false,
    isBroken: true,
    reason: expect.stringMatching(/ended with code 1/),
  });
});
