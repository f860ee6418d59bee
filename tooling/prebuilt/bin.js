#!/usr/bin/env node
// The three steps of a release of native addons.

import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { collect } from './lib/collect.js';
import { link } from './lib/link.js';
import { pack } from './lib/pack.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const print = (lines) => lines.forEach((line) => console.log(line));

const program = new Command('airllm-prebuilt').description('Platform packages of native addons');
program
  .command('collect <artifacts>')
  .description('copy the addons that were built here to <artifacts>/<platform>-<arch>')
  .action((artifacts) => print(collect(root, artifacts)));
program
  .command('pack <artifacts> <packages>')
  .description('make a package of each addon of each platform')
  .action((artifacts, packages) => print(pack(root, artifacts, packages)));
program
  .command('link <packages>')
  .description('have the packages of this workspace name their platform packages as optional dependencies')
  .action((packages) => print(link(root, packages)));
await program.parseAsync();
