// The checksum of a file: XXH3-64 of its 4 MiB blocks, and XXH3-64 of those digests (each eight bytes, little-endian, in
// the order of the file). Blocks can be digested in any order, so a file is checked while it is written out of order.

// The streaming object is used for single blocks too: the one-shot function of the package is ten times slower.
import xxhash from '@node-rs/xxhash';

export const CHECKSUM_BLOCK_BYTES = 4 * 2 ** 20;

/** Names the method, so that a manifest says how its checksums were made. */
export const CHECKSUM_METHOD = 'xxh3-64/4MiB';

/** The digest of one block, from its bytes in order, in any number of parts. */
export class BlockHash {
  readonly #hash = xxhash.xxh3.Xxh3.withSeed();

  reset(): void {
    this.#hash.reset();
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): bigint {
    return this.#hash.digest();
  }
}

/** Gathers the digests of a file's blocks. */
export class FileChecksum {
  readonly #digests: BigUint64Array;
  readonly #hash = new BlockHash();

  /** @param fileBytes Length of the whole file. */
  constructor(fileBytes: number) {
    this.#digests = new BigUint64Array(Math.ceil(fileBytes / CHECKSUM_BLOCK_BYTES));
  }

  /** `bytes` are all of block `index`: 4 MiB, or what is left for the last one. */
  addBlock(index: number, bytes: Uint8Array): void {
    this.#hash.reset();
    this.#hash.update(bytes);
    this.addDigest(index, this.#hash.digest());
  }

  addDigest(index: number, digest: bigint): void {
    this.#digests[index] = digest;
  }

  /** 16 hexadecimal digits, once every block was added. */
  digest(): string {
    const bytes = new DataView(new ArrayBuffer(8 * this.#digests.length));
    this.#digests.forEach((digest, i) => bytes.setBigUint64(8 * i, digest, true));
    return hashBytes(new Uint8Array(bytes.buffer));
  }
}

/** XXH3-64 of the parts, one after the other; 16 hexadecimal digits. */
export function hashBytes(...parts: readonly Uint8Array[]): string {
  const hash = xxhash.xxh3.Xxh3.withSeed();
  for (const part of parts) hash.update(part);
  return toHex(hash.digest());
}

function toHex(digest: bigint): string {
  return digest.toString(16).padStart(16, '0');
}
