// Which tensors recorded commands touch, and which an expert's commands may.

import type { Command } from './command.js';
import type { RecordedCommand } from './experts.js';
import { invalid } from './record-checks.js';
import { Tensor } from './tensor.js';
import type { WeightRef } from './weight.js';

export function tensorsOf(command: RecordedCommand<WeightRef>): Tensor[] {
  return Object.values(command).filter((value): value is Tensor => value instanceof Tensor);
}

/** Device commands on nothing but an expert's own tensors: no others are known to be alive when they run. */
export function expectExpertCommands(
  commands: readonly RecordedCommand<WeightRef>[],
  tensors: readonly Tensor[],
): Command<WeightRef>[] {
  const own = new Set(tensors.map(({ storage }) => storage));
  return commands.map((command) => {
    if (command.op === 'experts') throw invalid('Expected no mixture of experts inside an expert');
    if (!tensorsOf(command).every(({ storage }) => own.has(storage))) {
      throw invalid(`Expected an expert to use its own tensors but ${command.op} uses one from outside`);
    }
    return command;
  });
}
