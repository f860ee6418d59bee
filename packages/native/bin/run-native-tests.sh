#!/usr/bin/env bash
# Builds and runs the C++ tests of a package in one flavour: plain (default), asan (with UBSan), tsan, neon (AArch64 under qemu).
# Exit code 77: a tool is missing, named in one line. Any other non-zero code: the tests failed or do not build.
set -euo pipefail

package="$(cd "$1" && pwd)"
flavour="${2:-plain}"
cmake="$(cd "$(dirname "${BASH_SOURCE[0]}")/../cmake" && pwd)"
build="$package/build/native-tests-$flavour"

missing() {
  echo "native tests ($flavour) skipped: $1" >&2
  exit 77
}

command -v cmake >/dev/null || missing "cmake is not installed (apt-get install cmake)"
options=(-DAIRLLM_NATIVE_TESTS=ON -DCMAKE_BUILD_TYPE=Release "-DAIRLLM_CMAKE=$cmake")
runner=()
case "$flavour" in
  plain) ;;
  asan) options+=(-DAIRLLM_SANITIZE=address,undefined) ;;
  tsan) options+=(-DAIRLLM_SANITIZE=thread) ;;
  neon)
    command -v aarch64-linux-gnu-g++ >/dev/null || missing "no AArch64 compiler (apt-get install g++-aarch64-linux-gnu)"
    command -v qemu-aarch64 >/dev/null || missing "no AArch64 emulator (apt-get install qemu-user)"
    options+=(-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_CXX_COMPILER=aarch64-linux-gnu-g++)
    runner=(qemu-aarch64 -L /usr/aarch64-linux-gnu)
    ;;
  *)
    echo "usage: run-native-tests.sh PACKAGE [plain|asan|tsan|neon]" >&2
    exit 2
    ;;
esac
if [[ "$flavour" != neon ]]; then
  command -v "${CXX:-c++}" >/dev/null || missing "no C++ compiler (apt-get install g++)"
fi
doctest=""
for folder in /usr/include /usr/local/include /opt/homebrew/include; do
  if [[ -f "$folder/doctest/doctest.h" ]]; then doctest="$folder"; fi
done
[[ -n "$doctest" ]] || missing "doctest is not installed (apt-get install doctest-dev)"
if [[ "$flavour" == neon ]]; then
  # The header alone, not the host's /usr/include, which would shadow the target's.
  mkdir -p "$build/doctest-include"
  ln -sfn "$doctest/doctest" "$build/doctest-include/doctest"
  options+=("-DDOCTEST_INCLUDE=$build/doctest-include")
fi

echo "native tests ($flavour): building in $build"
cmake -S "$package" -B "$build" "${options[@]}" >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
cmake --build "$build" --parallel 4 >"$build.log" 2>&1 || { cat "$build.log" >&2; exit 1; }
echo "native tests ($flavour): running"
"${runner[@]}" "$build/native-tests"
