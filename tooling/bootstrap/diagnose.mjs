// Recognises the usual reasons in a failed tool's output: which tool it was, and what to do next.

const RULES = [
  {
    pattern:
      /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|META_FETCH_FAIL/,
    culprit: 'The package registry',
    hint: () =>
      `Packages come from ${process.env.npm_config_registry ?? 'https://registry.npmjs.org/'}, which did not answer. ` +
      'The first run needs it: check the network, a proxy (HTTPS_PROXY) or a mirror (npm_config_registry).',
  },
  {
    pattern: /CERT_|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)/,
    culprit: 'The package registry',
    hint: () =>
      'Its certificate is not trusted here: point NODE_EXTRA_CA_CERTS at the certificate of your proxy.',
  },
  {
    pattern: /ERR_PNPM_OUTDATED_LOCKFILE/,
    culprit: 'pnpm install',
    hint: () =>
      'A package.json was changed without its lockfile: run `pnpm install` and commit pnpm-lock.yaml.',
  },
  {
    pattern: /ENOSPC/,
    hint: () => 'There is no space left on the disk.',
  },
  {
    pattern: /EACCES|EROFS|EPERM/,
    hint: () =>
      'A file or folder could not be written: see the path in the lines above, and make it writable.',
  },
  {
    pattern: /error TS\d+:/,
    culprit: 'tsc (TypeScript)',
    hint: () => 'The sources do not compile: the first `error TS` line above or in the log says where.',
  },
  {
    // The last word of airllm-build-native, which knows the tool.
    pattern: /Expected (.+?) \(.*\) to build the native addon but it failed/,
    hint: () => 'Repair that tool, or set AIRLLM_NO_NATIVE=1 to do without the native addon (slower).',
  },
  {
    pattern:
      /CMake Error|(?:g\+\+|clang\+\+|c\+\+|cc1plus|collect2|ninja|make)(?:\[\d+\])?: .*(?:error|Error|fatal)/,
    culprit: 'The native build',
    hint: () =>
      'Repair the C++ toolchain that the lines above name, or set AIRLLM_NO_NATIVE=1 to do without it.',
  },
];

/**
 * Returns `{ culprit?, hint? }` for the output of a failed tool; empty when no rule knows it. A rule without a culprit
 * of its own may capture it.
 */
export function diagnose(log) {
  const rule = RULES.find(({ pattern }) => pattern.test(log));
  if (!rule) return {};
  return { culprit: rule.culprit ?? rule.pattern.exec(log)[1], hint: rule.hint() };
}
