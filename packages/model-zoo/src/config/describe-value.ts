// Shows a value of unknown origin in a message, in a bounded number of characters.

const MAX_CHARACTERS = 60;

/** `nothing` for undefined, else JSON cut to a length that fits a message. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value) && value.length > MAX_CHARACTERS) return `a list of ${value.length} items`;
  if (typeof value === 'string') return cut(JSON.stringify(value.slice(0, MAX_CHARACTERS + 1)));
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return 'an object';
  return cut(JSON.stringify(value) ?? typeof value);
}

function cut(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}
