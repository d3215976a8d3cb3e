#!/usr/bin/env bash
# ignored_result.sh ROOT COMPILER: an ignored Result must be a compile error, and nothing else in the
# same file may be one.
set -euo pipefail
cd "$1"
compile=("$2" -std=c++20 -fsyntax-only -Werror=unused-result -I . tests/lint/ignored_result.cpp)

"${compile[@]}"
if errors=$("${compile[@]}" -DIGNORED 2>&1); then
  echo "error: an ignored Result compiles; kubeclient/result.hpp has lost its [[nodiscard]]"
  exit 1
fi
if [[ $errors != *unused-result* ]]; then
  echo "error: it does not compile, but for another reason: $errors"
  exit 1
fi
echo "an ignored Result does not compile"
