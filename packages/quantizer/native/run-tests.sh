#!/usr/bin/env bash
# The C++ tests of this package in one flavour; see run-native-tests.sh.
set -euo pipefail
package="$(cd "$(dirname "$0")/.." && pwd)"
exec bash "$package/../native/bin/run-native-tests.sh" "$package" "$@"
