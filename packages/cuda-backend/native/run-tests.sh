#!/usr/bin/env bash
# The C++ tests of this package on the emulated device, in one flavour but neon; see run-native-tests.sh.
set -euo pipefail
package="$(cd "$(dirname "$0")/.." && pwd)"
if [[ "${1:-plain}" == neon ]]; then
  echo "native tests (neon) skipped: nothing in cuda-backend is written for an instruction set of the host" >&2
  exit 77
fi
exec bash "$package/../native/bin/run-native-tests.sh" "$package" "$@"
