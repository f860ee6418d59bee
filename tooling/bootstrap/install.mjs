// Step one: the workspace's dependencies, exactly as the lockfile states them. Skipped when no manifest changed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hashContents, isStamped, writeStamp } from './fingerprint.mjs';
import { listPackageFolders, root } from './paths.mjs';
import { resolvePnpm } from './pnpm.mjs';
import { runStep } from './step.mjs';

// Inside node_modules, so that removing that folder also forgets that it was complete.
const stampFile = join(root, 'node_modules', '.cache', 'airllm', 'install');

export async function install() {
  const manifests = listPackageFolders().map((folder) => `${folder}/package.json`);
  const files = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', '.npmrc', 'package.json', ...manifests];
  const machine = [process.platform, process.arch, process.versions.modules];
  const fingerprint = hashContents(
    files.map((file) => join(root, file)),
    machine,
  );
  if (existsSync(join(root, 'node_modules', '.pnpm')) && isStamped(stampFile, fingerprint)) {
    console.log('install: nothing changed');
    return;
  }
  const pnpm = resolvePnpm();
  await runStep(`install: packages with ${pnpm.label}`, {
    name: 'install',
    tool: 'pnpm install',
    command: pnpm.command,
    args: [...pnpm.args, 'install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'],
    env: { CI: 'true' },
  });
  writeStamp(stampFile, fingerprint);
}
