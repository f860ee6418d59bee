// The commands and their flags.

import { createRequire } from 'node:module';
import { Command } from 'commander';
import { runDemo } from './commands/demo.js';
import { printDiagnosis } from './commands/doctor.js';
import { inspectModel } from './commands/inspect.js';
import { printModels } from './commands/models.js';
import { printPlan } from './commands/plan.js';
import { runPrompt } from './commands/run.js';
import { shardCommand } from './commands/shard.js';
import { verifyCommand } from './commands/verify.js';
import { addModelOptions, finiteNumber, positiveInteger } from './model-options.js';

export function createProgram(): Command {
  const program = new Command('airllm')
    .description('Run language models that do not fit in memory')
    .version(readVersion());

  addModelOptions(program.command('run <model> <prompt>'))
    .description('continue a prompt; a model with a chat template gets it as a user message')
    .option('--raw', 'give the prompt to the model as it is')
    .option('--system <text>', 'system message')
    .option('-n, --max-new-tokens <count>', 'tokens to generate at most', positiveInteger)
    .option('-t, --temperature <value>', 'above 0 samples, 0 is greedy', finiteNumber)
    .option('--top-k <count>', 'sample from the most likely tokens only', positiveInteger)
    .option('--top-p <value>', 'sample from the smallest set of this probability', finiteNumber)
    .option('--min-p <value>', 'drop tokens less likely than this share of the likeliest', finiteNumber)
    .option('--seed <number>', 'repeatable sampling', finiteNumber)
    .option('--stop <text...>', 'end before any of these texts')
    .option('--ignore-eos', 'go on past the end-of-sequence token')
    .action(runPrompt);

  addModelOptions(program.command('plan <model>'))
    .description('show what would be held in memory and what would be read, without loading')
    .option('--json', 'as JSON')
    .action(printPlan);

  addModelOptions(program.command('inspect <model>'))
    .description('show architecture, tensors and files of a checkpoint')
    .option('--json', 'as JSON')
    .action(inspectModel);

  program
    .command('shard <model>')
    .description(
      'write a model as layer shards, quantized if asked for; run again to go on after an interruption',
    )
    .option('-c, --compression <format>', '4bit, 8bit, int8, int4 or lossless (default: bytes as they are)')
    .option('--double-quantization', '4bit with block factors in 8 bits')
    .option('--quantize <parts...>', 'quantize these too: embedding, head, routers')
    .option('-o, --out <dir>', "folder for shards of any number of models (default: the model's own)")
    .option('--layout <name>', 'native, or airllm: the folder that the Python AirLLM reads')
    .option('--keep-non-finite', 'quantize tensors with NaN or Inf instead of refusing them')
    .option('--delete-original', 'delete each original once its shards were read back and found right')
    .option('--verify', 'read everything back at the end')
    .option('--replace', 'make shards again whose originals have changed')
    .option('--threads <count>', 'threads that encode (default: one per core)', positiveInteger)
    .option('--offline', 'use only what is in the hub cache')
    .option('--revision <name>', 'branch, tag or commit on the hub')
    .action(shardCommand);

  program
    .command('verify <dir>')
    .description('read shards back and compare them with their checksums')
    .option('--repair', 'make damaged shards again from the originals')
    .action(verifyCommand);

  program
    .command('models [configs...]')
    .description(
      'list the supported architectures; with config.json files or folders of them, say what each would run as',
    )
    .option('--json', 'as JSON')
    .option('--markdown', 'as Markdown')
    .action(printModels);

  program
    .command('doctor')
    .description('show what this machine has for running models, what would be chosen and why')
    .option('--json', 'as JSON')
    .action(printDiagnosis);

  addModelOptions(program.command('demo'))
    .description('ask the embedded model a question and let it tell a story')
    .action(runDemo);

  return program;
}

function readVersion(): string {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
  return version;
}
