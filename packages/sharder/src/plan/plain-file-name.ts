// Names that a journal or a manifest may give to files: inside their folder on every platform.

const MOST_CHARS = 255;

export function isPlainFileName(name: string): boolean {
  return name.length <= MOST_CHARS && /^[^/\\:\p{Cc}]+$/u.test(name) && name !== '.' && name !== '..';
}
