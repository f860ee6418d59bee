import { Tensor } from '@airllm/backend';
import { PLAIN_ROUTING } from '../../test/routing-rule.js';
import { ExpertSum } from './expert-sum.js';
import type { ExpertRows } from './route.js';

function tensor(rows: number): Tensor {
  return new Tensor({ elements: rows * 4, offset: 0 }, rows, 4, 4, 0);
}

function expert(number: number, rows: number[]): ExpertRows {
  return {
    expert: number,
    rows: Uint32Array.from(rows),
    scales: Float32Array.from(rows, (row) => number + row / 10),
  };
}

/** Two rows of three experts; the outputs of all of them fit where outputs are held unless `heldRows` says less. */
function openSum({ heldRows = 4, scaleInput = false } = {}) {
  const experts = [expert(1, [0, 1]), expert(4, [1]), expert(6, [0])];
  const mixture = { out: tensor(2), held: tensor(heldRows), routing: { ...PLAIN_ROUTING, scaleInput } };
  return { sum: new ExpertSum(mixture, experts), mixture };
}

/** `scatter ROWS` or `hold FIRST_ROW+ROWS`. */
function describeCommands(commands: ReturnType<ExpertSum['add']>): string[] {
  return commands.map((command) => {
    if (command.op === 'scatterAddRows') return `scatter ${command.indices.join()}`;
    if (command.op === 'gatherRows') return `hold ${command.out.start / 4}+${command.indices.join()}`;
    throw new Error(`Expected no ${command.op}`);
  });
}

describe('ExpertSum', () => {
  it('adds outputs at once when they come by number', () => {
    const { sum } = openSum();
    expect(describeCommands(sum.add(0, tensor(2)))).toEqual(['scatter 0,1']);
    expect(describeCommands(sum.add(1, tensor(1)))).toEqual(['scatter 1']);
    expect(describeCommands(sum.add(2, tensor(1)))).toEqual(['scatter 0']);
  });

  it('holds what comes early, each in rows of its own, until those before it were added', () => {
    const { sum } = openSum();
    expect(describeCommands(sum.add(2, tensor(1)))).toEqual(['hold 0+0']);
    expect(describeCommands(sum.add(1, tensor(1)))).toEqual(['hold 1+0']);
    expect(describeCommands(sum.add(0, tensor(2)))).toEqual(['scatter 0,1', 'scatter 1', 'scatter 0']);
  });

  it('adds a held output from where it was held', () => {
    const { sum, mixture } = openSum();
    sum.add(1, tensor(1));
    const [own, held] = sum.add(0, tensor(2));
    expect(own?.op === 'scatterAddRows' && own.x.storage).not.toBe(mixture.held.storage);
    expect(held?.op === 'scatterAddRows' && held.x.storage).toBe(mixture.held.storage);
  });

  it('multiplies by the weights of the rows, or by one where the input was multiplied', () => {
    const scalesOf = (scaleInput: boolean): number[] => {
      const [command] = openSum({ scaleInput }).sum.add(0, tensor(2));
      return command?.op === 'scatterAddRows' ? [...command.scales] : [];
    };
    expect(scalesOf(false)).toEqual([1, Math.fround(1.1)]);
    expect(scalesOf(true)).toEqual([1, 1]);
  });

  it('keeps to the order of numbers where outputs could not all be held', () => {
    expect(openSum({ heldRows: 4 }).sum.feasible([2, 0, 1])).toEqual([2, 0, 1]);
    expect(openSum({ heldRows: 3 }).sum.feasible([2, 0, 1])).toEqual([0, 1, 2]);
  });
});
