// The allow-list: every global a pickle may name, and what stands for a call of it. Nothing is looked up by name
// in this process: a name outside the list ends the reading.

import { DTYPES, STORAGE_CLASSES } from './element-type.js';
import type { PickleMachine } from './pickle-machine.js';
import {
  GlobalName,
  PickleDict,
  PickleList,
  PickleTuple,
  TensorView,
  type PickleValue,
} from './pickle-value.js';
import { REBUILD_FUNCTIONS, rebuildTensor } from './rebuild-tensor.js';
import { setEntry } from './set-entry.js';
import { quote, TorchPickleError } from './torch-pickle-error.js';

const ORDERED_DICT = 'collections.OrderedDict';
const SIZE = 'torch.Size';
const PARAMETERS: ReadonlySet<string> = new Set([
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
]);

/** @throws TorchPickleError `REFUSED_GLOBAL`, naming it. */
export function resolveGlobal(module: string, name: string): GlobalName {
  const full = `${module}.${name}`;
  const known =
    full === ORDERED_DICT ||
    full === SIZE ||
    PARAMETERS.has(full) ||
    REBUILD_FUNCTIONS.has(full) ||
    STORAGE_CLASSES.has(full) ||
    DTYPES.has(full);
  if (known) return new GlobalName(full);
  throw new TorchPickleError(
    'REFUSED_GLOBAL',
    `Expected a pickle of plain tensors but it calls for ${quote(full)}. Nothing was executed. ` +
      'If you trust the file, load it in Python and save its state dict as safetensors.',
    { fields: { global: full } },
  );
}

/** What Python would get from `callable(*args)`, for the callables of the list. */
export function callGlobal(callable: PickleValue, args: PickleValue, machine: PickleMachine): PickleValue {
  if (!(callable instanceof GlobalName) || !(args instanceof PickleTuple)) {
    throw new TorchPickleError(
      'INVALID_PICKLE',
      'Expected REDUCE to have a global and a tuple of arguments.',
    );
  }
  const { name } = callable;
  const [first] = args.items;
  const signature = REBUILD_FUNCTIONS.get(name);
  if (signature !== undefined) return rebuildTensor(signature, args.items);
  if (PARAMETERS.has(name) && first instanceof TensorView) return first;
  if (name === SIZE && first instanceof PickleTuple && args.items.length === 1) return first;
  if (name === ORDERED_DICT && args.items.length <= 1) return orderedDict(first, machine);
  throw new TorchPickleError('INVALID_PICKLE', `Expected other arguments for ${name}.`, {
    fields: { global: name },
  });
}

/** Empty, or as Python 2 writes it: from a list of [key, value]. */
function orderedDict(pairs: PickleValue | undefined, machine: PickleMachine): PickleDict {
  machine.countObjects(1);
  const dict = new PickleDict();
  if (pairs === undefined) return dict;
  const items = pairs instanceof PickleList ? pairs.items : [pairs];
  // Counted before the copy: the same list may be passed again and again.
  machine.countObjects(items.length);
  for (const pair of items) {
    const isPair = pair instanceof PickleList || pair instanceof PickleTuple;
    const [key, value, ...rest] = isPair ? pair.items : [];
    if (key === undefined || value === undefined || rest.length > 0) {
      throw new TorchPickleError('INVALID_PICKLE', `Expected ${ORDERED_DICT} to be made of pairs.`);
    }
    setEntry(dict, key, value);
  }
  return dict;
}
