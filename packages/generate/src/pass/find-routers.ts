// What in a program belongs to a mixture of experts: by the storage that commands write and read.

import type { ExpertsCommand, RecordedCommand, Storage, WeightRef } from '@airllm/backend';

type Recorded = RecordedCommand<WeightRef>;

/** Mixtures by the last command before each that writes its logits. */
export function findRouters(commands: readonly Recorded[]): Map<Recorded, ExpertsCommand<WeightRef>> {
  const routers = new Map<Recorded, ExpertsCommand<WeightRef>>();
  commands.forEach((command, index) => {
    if (command.op !== 'experts') return;
    const router = lastWriter(commands, command.logits.storage, index);
    if (router) routers.set(router, command);
  });
  return routers;
}

/** The last command before the one at `index` that writes `storage`. */
export function lastWriter(
  commands: readonly Recorded[],
  storage: Storage,
  index: number,
): Recorded | undefined {
  const writes = (command: Recorded): boolean =>
    ('out' in command ? command.out : command.x).storage === storage;
  return commands.slice(0, index).reverse().find(writes);
}
