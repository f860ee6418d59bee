import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildAddon } from './build.js';
import { currentStamp } from './build-stamp.js';

describe('buildAddon', () => {
  const environment = { ...process.env };
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'airllm-build-'));
    mkdirSync(join(folder, 'native'));
    writeFileSync(join(folder, 'native', 'addon.cc'), 'int answer = 42;\n');
    writeFileSync(join(folder, 'CMakeLists.txt'), 'project(thing LANGUAGES CXX)\n');
    writeFileSync(join(folder, 'package.json'), '{"name":"thing","binary":{"napi_versions":[8]}}');
    delete process.env['AIRLLM_NO_NATIVE'];
    delete process.env['CXX'];
  });
  afterEach(() => {
    process.env = { ...environment };
    rmSync(folder, { recursive: true });
  });

  /** A PATH with these tools only: name → exit code and what each prints. */
  function pathWith(tools: Record<string, { exit: number; prints: string }>): void {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    for (const [name, { exit, prints }] of Object.entries(tools)) {
      writeFileSync(join(bin, name), `#!/bin/sh\necho "${prints}"\nexit ${exit}\n`);
      chmodSync(join(bin, name), 0o755);
    }
    process.env['PATH'] = bin;
  }

  const onPosix = process.platform === 'win32' ? it.skip : it;
  if (process.platform === 'win32') console.warn('build tests skipped: they put shell scripts on the PATH');

  it('is skipped in one line when asked to', () => {
    process.env['AIRLLM_NO_NATIVE'] = '1';
    const line = buildAddon(folder);
    expect(line).toContain('AIRLLM_NO_NATIVE=1');
    expect(line).not.toContain('\n');
  });

  onPosix('is skipped in one line that says what to install when there are no tools', () => {
    pathWith({});
    const line = buildAddon(folder);
    expect(line).toMatch(
      /^a C\+\+20 compiler and CMake not found \(.+\); the TypeScript reference takes over$/,
    );
  });

  onPosix('names only the tool that is missing', () => {
    pathWith({ 'c++': { exit: 0, prints: 'c++ 99' } });
    expect(buildAddon(folder)).toMatch(/^CMake not found/);
  });

  onPosix('fails with the tool, the log and what to do when the toolchain is broken', () => {
    pathWith({
      'c++': { exit: 0, prints: 'c++ 99' },
      cmake: { exit: 1, prints: 'CMake Error: cannot go on' },
    });
    expect(() => buildAddon(folder)).toThrow(
      expect.objectContaining({
        code: 'ADDON_BUILD_FAILED',
        message: expect.stringMatching(/cmake with c\+\+ .*AIRLLM_NO_NATIVE=1.*airllm-build\.log/s) as string,
      }),
    );
    expect(readFileSync(join(folder, 'build', 'airllm-build.log'), 'utf8')).not.toBe('');
  });

  it('is made again when a source, what packages share or the toolchain changes, and only then', () => {
    const cmakeFolder = join(folder, 'cmake');
    mkdirSync(cmakeFolder);
    const before = currentStamp(folder, 'c++ 12', cmakeFolder);
    expect(currentStamp(folder, 'c++ 12', cmakeFolder)).toEqual(before);
    expect(currentStamp(folder, 'c++ 13', cmakeFolder).toolchain).not.toBe(before.toolchain);
    writeFileSync(join(folder, 'native', 'addon.cc'), 'int answer = 43;\n');
    const changed = currentStamp(folder, 'c++ 12', cmakeFolder);
    expect(changed.sources).not.toBe(before.sources);
    writeFileSync(join(cmakeFolder, 'shared.cmake'), 'set(answer 42)\n');
    expect(currentStamp(folder, 'c++ 12', cmakeFolder).sources).not.toBe(changed.sources);
  });
});
