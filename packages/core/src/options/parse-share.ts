// Shares of a memory as people write them.

/** 0.5 for `'50%'`; undefined for what is no share above 0 and up to 100%. */
export function parseShare(size: string | number): number | undefined {
  if (typeof size === 'number') return undefined;
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(size.slice(0, 64))?.[1];
  const share = Number(percent) / 100;
  return share > 0 && share <= 1 ? share : undefined;
}
