// Operands outside their memory, indices past their limit, shapes that do not agree: refused by a typed
// error before anything runs, and the backend works on.

import type { Backend, Submission } from '../../backend.js';
import type { WeightMemory } from '../../weight.js';
import type { ConformanceCase } from '../conformance-case.js';
import { behaviourCase, complainUnlessEqual, complainUnlessRejected, tensorAt } from './checks.js';
import { ARENA_ELEMENTS, WEIGHT_BYTES, wrongCommands } from './wrong-commands.js';
import {
  ATTENTION,
  CACHE,
  rightSequenceCommands,
  SEQUENCE,
  shortConv,
  WRONG_BATCHES,
  WRONG_SEQUENCE_COMMANDS,
  WRONG_SLOTS,
} from './wrong-sequence-commands.js';

export function refusalCases(): ConformanceCase[] {
  return [
    ...Object.entries(wrongCommands()).map(([what, commandsOf]) =>
      refusal(what, (memory) => ({ commands: commandsOf(memory) })),
    ),
    ...Object.entries(WRONG_SEQUENCE_COMMANDS).map(([what, commandOf]) =>
      refusal(what, (memory) => ({ commands: [commandOf(memory)] })),
    ),
    ...Object.entries(WRONG_BATCHES).map(([what, sequence]) =>
      refusal(what, () => ({
        commands: [ATTENTION],
        batch: { rows: 2, sequences: [{ ...SEQUENCE, ...sequence }] },
      })),
    ),
    ...Object.entries(WRONG_SLOTS).map(([what, sequences]) =>
      refusal(what, (memory) => ({ commands: [shortConv(memory)], batch: { rows: 2, sequences } })),
    ),
    refusal('attention without a batch', () => ({ commands: [ATTENTION], batch: undefined })),
    refusal('attention without a KV cache', () => ({ commands: [ATTENTION], kvCache: undefined })),
    behaviourCase('accepts the sequence commands whose wrong neighbours it refuses', async (backend) =>
      withMemory(backend, async (right, memory) => {
        await backend.submit({ ...right, commands: rightSequenceCommands(memory) });
        return undefined;
      }),
    ),
    behaviourCase('refuses a read outside the arena and a write of another length', async (backend) => {
      const arena = backend.createArena(ARENA_ELEMENTS);
      const outside = tensorAt(ARENA_ELEMENTS - 3, 1, 4);
      const wrong =
        (await complainUnlessRejected('a read', arena.read(outside), 'INVALID_OPERAND')) ??
        (await complainUnlessRejected(
          'a write',
          arena.write(outside, new Float32Array(4)),
          'INVALID_OPERAND',
        )) ??
        (await complainUnlessRejected(
          'a short write',
          arena.write(tensorAt(0, 1, 4), new Float32Array(3)),
          'INVALID_OPERAND',
        ));
      arena.dispose();
      return wrong;
    }),
  ];
}

/** Submits something wrong after something right, expects the error, then expects the arena as it was. */
function refusal(what: string, wrongPart: (memory: WeightMemory) => Partial<Submission>): ConformanceCase {
  return behaviourCase(`refuses ${what}`, (backend) =>
    withMemory(backend, async (right, memory) => {
      const { arena } = right;
      const rejected = backend.submit({ ...right, ...wrongPart(memory) });
      return (
        (await complainUnlessRejected(what, rejected, 'INVALID_OPERAND')) ??
        complainUnlessEqual(
          await arena.read(tensorAt(0, 1, ARENA_ELEMENTS)),
          new Array<number>(ARENA_ELEMENTS).fill(1),
        )
      );
    }),
  );
}

/** A submission without commands, an arena of ones and weights of zeros, freed afterwards. */
async function withMemory(
  backend: Backend,
  use: (right: Submission, memory: WeightMemory) => Promise<string | undefined>,
): Promise<string | undefined> {
  const arena = backend.createArena(ARENA_ELEMENTS);
  const memory = backend.allocateWeights(WEIGHT_BYTES);
  memory.bytes.fill(0);
  const kvCache = backend.createKvCache(CACHE);
  await arena.write(tensorAt(0, 1, ARENA_ELEMENTS), new Float32Array(ARENA_ELEMENTS).fill(1));
  const wrong = await use(
    { commands: [], arena, kvCache, batch: { rows: 2, sequences: [SEQUENCE] } },
    memory,
  );
  kvCache.dispose();
  memory.dispose();
  arena.dispose();
  return wrong;
}
