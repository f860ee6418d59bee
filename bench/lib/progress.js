/** Says on stderr what is being done; stdout is for figures. */
export function progress(line) {
  process.stderr.write(`  ${line}\n`);
}
