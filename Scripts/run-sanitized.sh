#!/usr/bin/env bash
# Builds the tests with a sanitizer, in a folder of their own, and runs all but those of whole systems.
# Usage: Scripts/run-sanitized.sh thread|address
set -euo pipefail
cd "$(dirname "$0")/.."

sanitizer=${1:?usage: Scripts/run-sanitized.sh thread|address}
scratch=.build/$sanitizer
options=(--sanitize="$sanitizer" --scratch-path "$scratch" --explicit-target-dependency-import-check error)
# Everything takes ten times as long: one test after another, so that deadlines measure the service and not the queue for a core.
# What a test does at once it does at once here, too.
# Locked pages are not to be had: the sanitizers take mlock for themselves, and do nothing.
run=(--no-parallel --skip "a long-lived secret is in locked pages")

swift build "${options[@]}" --build-tests

case $sanitizer in
thread)
    clang -O1 -shared -fPIC -o "$scratch/mutex.so" Scripts/sanitizers/mutex.c
    export TSAN_OPTIONS="suppressions=$PWD/Scripts/sanitizers/thread.txt exitcode=66 ${TSAN_OPTIONS:-}"
    export LD_PRELOAD=$PWD/$scratch/mutex.so
    # Its rotation, which nothing holds up, is over before the slowed command comes that revokes in the middle of it.
    run+=(--skip "A shared root is rotated by its own name")
    ;;
address)
    # Of the test's own process no leaks are told: doors that are open and tasks that wait when it ends are kept by pointers that
    # Swift tags, which the detector cannot follow. The service's processes end in order, and are looked at: SignetTests run them.
    export ASAN_OPTIONS="detect_leaks=0 detect_stack_use_after_return=0 ${ASAN_OPTIONS:-}"
    export LSAN_OPTIONS="suppressions=$PWD/Scripts/sanitizers/leak.txt ${LSAN_OPTIONS:-}"
    ;;
esac

# As in `make test`: those that start processes of their own run apart from the others.
apart=(PKICryptoTests ListenersTests PostgresTests SignetTests)
status=0
Scripts/run-tests.sh "${options[@]}" "${run[@]}" --skip "EndToEndTests|$(IFS='|'; echo "${apart[*]}")" || status=1
for target in "${apart[@]}"; do
    [[ $sanitizer/$target == address/SignetTests ]] && ASAN_OPTIONS=${ASAN_OPTIONS/detect_leaks=0/detect_leaks=1}
    Scripts/run-tests.sh "${options[@]}" "${run[@]}" --filter "$target" || status=1
done
exit $status
