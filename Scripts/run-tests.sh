#!/usr/bin/env bash
# Runs the built tests with the given options of `swift test`, and says at the end once more, in one place, which failed and
# why: a group prints thousands of lines, and the one that matters is rarely among the last.
set -uo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
swift test --skip-build "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if [[ $status -ne 0 ]]; then
    echo
    echo "Failed in: swift test $*"
    # An issue's own line, and the lines that belong to it.
    grep -aE -A 12 '✘ Test .* recorded an issue|Fatal error|error: Exited with' "$log" | grep -avE '^(◇|✔)' | cut -c 1-2000 | tail -200
fi
exit "$status"
