// Which family a config belongs to: by `architectures[0]`, else by `model_type`.

import type { ConfigReader } from './config/config-reader.js';
import { describeValue } from './config/describe-value.js';
import { ModelError } from './errors.js';
import { FAMILIES, type FamilyEntry } from './models/index.js';

/** Throws `UNSUPPORTED_ARCHITECTURE` with the list of what there is. */
export function findFamily({ fields }: ConfigReader): FamilyEntry {
  const architectures = fields['architectures'];
  const architecture: unknown = Array.isArray(architectures) ? architectures[0] : undefined;
  const modelType = fields['model_type'];
  const has = (names: readonly string[], name: unknown): boolean =>
    typeof name === 'string' && names.includes(name);
  const entry =
    FAMILIES.find(({ architectures: names }) => has(names, architecture)) ??
    FAMILIES.find(({ modelTypes: names }) => has(names, modelType));
  if (entry) return entry;
  const supported = FAMILIES.flatMap(({ architectures: names }) => names);
  throw new ModelError(
    'UNSUPPORTED_ARCHITECTURE',
    `Expected one of the architectures ${supported.join(', ')} but config.json names ${describeValue(architecture)} with model_type ${describeValue(modelType)}. docs/add-a-model.md shows how to add one`,
    { architecture, modelType, supported },
  );
}
