#!/usr/bin/env bash
# Builds the tests with a sanitizer, in a folder of their own, and runs all but those of whole systems.
# Usage: Scripts/run-sanitized.sh thread|address
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizer=${1:?usage: Scripts/run-sanitized.sh thread|address}
scratch=.build/$sanitizer
options=(--sanitize="$sanitizer" --scratch-path "$scratch" --explicit-target-dependency-import-check error)
case $sanitizer in
thread) export TSAN_OPTIONS="suppressions=$PWD/Scripts/suppressions/thread.txt exitcode=66 ${TSAN_OPTIONS:-}" ;;
address)
    export ASAN_OPTIONS="detect_stack_use_after_return=0 ${ASAN_OPTIONS:-}"
    export LSAN_OPTIONS="suppressions=$PWD/Scripts/suppressions/leak.txt ${LSAN_OPTIONS:-}"
    ;;
esac

swift build "${options[@]}" --build-tests
# As in `make test`: those that start processes of their own run apart from the others.
apart=(PKICryptoTests ListenersTests PostgresTests SignetTests)
Scripts/run-tests.sh "${options[@]}" --skip "EndToEndTests|$(IFS='|'; echo "${apart[*]}")"
for target in "${apart[@]}"; do Scripts/run-tests.sh "${options[@]}" --filter "$target"; done
