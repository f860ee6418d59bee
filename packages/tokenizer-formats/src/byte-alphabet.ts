// The byte-level alphabet of GPT-2: every byte as one printable character, so that byte sequences can be map keys.
// Printable Latin-1 stands for itself; the others follow from U+0100 on, in order.

/** Character of each byte. */
export const BYTE_ALPHABET: readonly string[] = (() => {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : next++));
})();
