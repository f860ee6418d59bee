// Step two: every package's build through turbo (TypeScript, and the native addons where a compiler is found). Skipped
// without starting turbo when no source, output or tool changed since the last success.
import { basename, join, relative, sep } from 'node:path';
import { hashContents, hashTree, isStamped, writeStamp } from './fingerprint.mjs';
import { install } from './install.mjs';
import { cacheFolder, prepareCacheFolder, root } from './paths.mjs';
import { resolvePnpm } from './pnpm.mjs';
import { runStep } from './step.mjs';
import { describeToolchain } from './toolchain.mjs';

const stampFile = join(cacheFolder, 'build-stamp');
const trees = ['packages', 'apps', 'tooling'].map((folder) => join(root, folder));
const OUTPUT_FOLDERS = new Set(['dist', 'build']);
const IGNORED_NAMES = new Set(['node_modules', '.turbo', '.cache', 'coverage']);

// What airllm-build-native says of a package (built, or why not), behind turbo's own prefix.
const NATIVE_NOTICE = /^\S+:build: (\S+: .*(?:native addon|takes over).*)$/gm;

/** `main.mjs build`: install, then build. */
export async function main() {
  prepareCacheFolder();
  await install();
  await build();
  return 0;
}

export async function build() {
  const toolchain = describeToolchain();
  const sources = fingerprintSources(toolchain);
  if (isStamped(stampFile, `${sources} ${fingerprintOutputs()}`)) {
    console.log('build: nothing changed');
    return;
  }
  const pnpm = resolvePnpm();
  const { log } = await runStep('build: every package with turbo', {
    name: 'build',
    tool: 'turbo run build',
    command: pnpm.command,
    args: [...pnpm.args, 'exec', 'turbo', 'run', 'build', '--ui=stream', '--no-color'],
    env: {
      TURBO_TELEMETRY_DISABLED: '1',
      TURBO_NO_UPDATE_NOTIFIER: '1',
      DO_NOT_TRACK: '1',
      AIRLLM_TOOLCHAIN: toolchain,
    },
  });
  for (const [, notice] of log.matchAll(NATIVE_NOTICE)) console.log(`  ${notice}`);
  writeStamp(stampFile, `${sources} ${fingerprintOutputs()}`);
}

// What the build reads: taken before it starts, so that a file edited while it ran is built the next time.
function fingerprintSources(toolchain) {
  const settings = hashContents([join(root, 'turbo.json'), join(root, 'pnpm-lock.yaml')]);
  return hashTree(trees, {
    keep: (path) => isKept(path) && !isOutput(path),
    extra: [process.version, toolchain, process.env.AIRLLM_NO_NATIVE ?? '', settings],
  });
}

// What the build leaves: a dist folder that was removed or edited must be built again.
function fingerprintOutputs() {
  return hashTree(trees, { keep: (path) => isKept(path) && (isOutput(path) || depthOf(path) < 3) });
}

function isKept(path) {
  const [, , folder, ...below] = relative(root, path).split(sep);
  if (IGNORED_NAMES.has(basename(path)) || path.endsWith('.spec.ts') || folder === 'test') return false;
  if (folder !== 'build' || below.length === 0) return true;
  // Of build/ only the finished addons count: tests and benchmarks compile there too.
  return below[0] === 'Release' && (below.length === 1 || path.endsWith('.node'));
}

// Paths are packages/<name>/<folder>/…
function isOutput(path) {
  return OUTPUT_FOLDERS.has(relative(root, path).split(sep)[2]);
}

function depthOf(path) {
  return relative(root, path).split(sep).length;
}
