#!/usr/bin/env node
// Prints a table of what ptxas said of each kernel: registers, shared memory, spilled bytes. Fails where a kernel spills.
//
//   node packages/cuda-backend/scripts/kernel-table.mjs [--summary] [folder of *.log, default build/kernels]
//
// With --summary the last line, and the kernels that spill.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(2);
const summary = args.includes('--summary');
const folder =
  args.find((arg) => arg !== '--summary') ?? fileURLToPath(new URL('../build/kernels', import.meta.url));
const logs = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.log')) : [];
if (logs.length === 0) {
  console.warn(`SKIPPED: no logs of nvcc in ${folder}: the package was built without it`);
  process.exit(0);
}

const ENTRY = /Compiling entry function '(\S+)' for '(\S+)'/;
const SPILLS = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/;
const USED = /Used (\d+) registers/;
const SHARED = /(\d+) bytes smem/;

const rows = [];
for (const log of logs) {
  let current;
  for (const line of readFileSync(join(folder, log), 'utf8').split('\n')) {
    const [, kernel, arch] = ENTRY.exec(line) ?? [];
    if (kernel) current = { file: basename(log, '.log'), kernel, arch, spills: 0 };
    const [, , stores, loads] = SPILLS.exec(line) ?? [];
    // Those of the functions a kernel calls are printed behind it, and count as its own.
    if (current && stores) current.spills += Number(stores) + Number(loads);
    const [, registers] = USED.exec(line) ?? [];
    if (!current || !registers) continue;
    rows.push({ ...current, registers: Number(registers), shared: Number(SHARED.exec(line)?.[1] ?? 0) });
  }
}

const width = Math.max(...rows.map(({ kernel }) => kernel.length));
console.log(`${'kernel'.padEnd(width)}  ${'arch'.padEnd(8)} registers  shared  spilled`);
for (const { kernel, arch, registers, shared, spills } of rows) {
  if (summary && spills === 0) continue;
  const cells = [String(registers).padStart(9), String(shared).padStart(6), String(spills).padStart(7)];
  console.log(`${kernel.padEnd(width)}  ${arch.padEnd(8)} ${cells.join('  ')}`);
}
const spilling = rows.filter(({ spills }) => spills > 0);
console.log(`${rows.length} kernels, ${spilling.length} of them spill registers`);
process.exitCode = spilling.length > 0 ? 1 : 0;
