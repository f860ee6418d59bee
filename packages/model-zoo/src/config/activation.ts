// Names of activation functions in configs. Source: transformers, activations.py.

import type { Activation } from '@airllm/backend';
import { ModelError } from '../errors.js';
import type { ConfigReader } from './config-reader.js';
import { describeValue } from './describe-value.js';

const ACTIVATIONS = new Map<string, Activation>([
  ['silu', 'silu'],
  ['swish', 'silu'],
  ['gelu', 'gelu'],
  ['gelu_python', 'gelu'],
  ['gelu_new', 'gelu-tanh'],
  ['gelu_fast', 'gelu-tanh'],
  ['gelu_pytorch_tanh', 'gelu-tanh'],
]);

/** The activation of an MLP named by `field`. Throws `UNSUPPORTED_ACTIVATION` for a name without a kernel. */
export function readActivation(config: ConfigReader, field = 'hidden_act', whenAbsent = 'silu'): Activation {
  const name = config.string(field, whenAbsent);
  const activation = ACTIVATIONS.get(name);
  if (activation) return activation;
  throw new ModelError(
    'UNSUPPORTED_ACTIVATION',
    `Expected one of ${[...ACTIVATIONS.keys()].join(', ')} for config field ${field} but found ${describeValue(name)}. Another needs a case in every backend's activation ops`,
    { field, found: name },
  );
}
