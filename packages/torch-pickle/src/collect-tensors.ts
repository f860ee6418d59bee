// The tensors inside an unpickled value, by the path that leads to them. What is no tensor is passed over.

import { PickleDict, PickleList, PickleTuple, TensorView, type PickleValue } from './pickle-value.js';
import { exceeds, quote, TorchPickleError } from './torch-pickle-error.js';

/** Lists that hold lists twice over make a small pickle a large walk. */
export const MAX_VISITED = 2 ** 22;
/** Lists inside each other. Training checkpoints have five. */
export const MAX_DEPTH = 32;
export const MAX_NAME_CHARS = 1024;

/**
 * Keys and indices joined by dots: `lm_head.weight`, `state_dict.lm_head.weight`, `optimizer.state.0.exp_avg`. A
 * file that holds one bare tensor gives it the empty name.
 *
 * @throws TorchPickleError `INVALID_TENSOR` when two get one name, `LIMIT_EXCEEDED`.
 */
export function collectTensors(root: PickleValue): ReadonlyMap<string, TensorView> {
  const tensors = new Map<string, TensorView>();
  let visited = 0;

  const visit = (value: PickleValue, name: string, depth: number): void => {
    if (++visited > MAX_VISITED) exceeds('MAX_VISITED', MAX_VISITED, 'values in a file');
    if (value instanceof TensorView) {
      if (name.length > MAX_NAME_CHARS) exceeds('MAX_NAME_CHARS', MAX_NAME_CHARS, 'characters in a name');
      if (tensors.has(name)) {
        throw new TorchPickleError(
          'INVALID_TENSOR',
          `Expected one tensor named ${quote(name)} but found two.`,
          {
            fields: { tensor: name },
          },
        );
      }
      tensors.set(name, value);
      return;
    }
    const entries = entriesOf(value);
    if (entries === undefined) return;
    if (depth === MAX_DEPTH) exceeds('MAX_DEPTH', MAX_DEPTH, 'containers inside each other');
    for (const [key, child] of entries)
      visit(child, depth === 0 ? String(key) : `${name}.${String(key)}`, depth + 1);
  };

  visit(root, '', 0);
  return tensors;
}

function entriesOf(value: PickleValue): Iterable<[unknown, PickleValue]> | undefined {
  if (value instanceof PickleDict) return value.entries;
  if (value instanceof PickleList || value instanceof PickleTuple) return value.items.entries();
  return undefined;
}
