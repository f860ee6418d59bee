// The storages a pickle refers to, from its persistent ids. One key is one storage, whatever refers to it.

import { STORAGE_CLASSES } from './element-type.js';
import { GlobalName, PickleTuple, StorageReference, type PickleValue } from './pickle-value.js';
import { toCount } from './to-count.js';
import { quote, TorchPickleError } from './torch-pickle-error.js';

export class StorageTable {
  readonly #storages = new Map<string, StorageReference>();

  get size(): number {
    return this.#storages.size;
  }

  get(key: string): StorageReference | undefined {
    return this.#storages.get(key);
  }

  /**
   * The storage of `('storage', class, key, location, elements)`; the legacy format adds None at the end.
   *
   * @throws TorchPickleError `INVALID_PICKLE` for an id of another form, `INVALID_STORAGE` when one key is declared
   *   in two ways.
   */
  refer(persistentId: PickleValue): StorageReference {
    const parts = persistentId instanceof PickleTuple ? persistentId.items : [];
    const [kind, storageClass, key, location, elements, view = null] = parts;
    const elementType =
      storageClass instanceof GlobalName ? STORAGE_CLASSES.get(storageClass.name) : undefined;
    const wellFormed = parts.length === 5 || parts.length === 6;
    if (!wellFormed || kind !== 'storage' || typeof key !== 'string' || typeof location !== 'string') {
      return refuse('Expected a persistent id of the form (storage, class, key, location, elements).');
    }
    if (elementType === undefined) return refuse('Expected the class of a torch storage in a persistent id.');
    if (view !== null)
      return refuse('Expected a storage of its own but found a view of another (torch before 0.4).');
    return this.#add(new StorageReference(key, elementType, toCount(elements, 'storage')));
  }

  #add(storage: StorageReference): StorageReference {
    const { key, elementType, elements, byteLength } = storage;
    const known = this.#storages.get(key);
    const same = known === undefined || (known.elementType === elementType && known.elements === elements);
    if (!same || !Number.isSafeInteger(byteLength)) {
      throw new TorchPickleError(
        'INVALID_STORAGE',
        `Expected storage ${quote(key)} to be declared once and to be smaller than 2^53 bytes.`,
        { fields: { key, elements, dtype: elementType.dtype } },
      );
    }
    if (known === undefined) this.#storages.set(key, storage);
    return known ?? storage;
  }
}

function refuse(message: string): never {
  throw new TorchPickleError('INVALID_PICKLE', message);
}
