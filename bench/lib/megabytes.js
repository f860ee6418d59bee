/** Bytes for people: whole megabytes of 10^6. */
export function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
