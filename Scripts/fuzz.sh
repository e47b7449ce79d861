#!/usr/bin/env bash
# Builds the fuzzer and runs it on each target in turn, with its seeds and with what was found before.
# Usage: Scripts/fuzz.sh SECONDS [TARGET…]
#
# What breaks something goes to Fuzz/Found/TARGET, where the ordinary tests run it again: mend the code, keep the file. Inputs that
# reached new code stay in .build/fuzz/corpus, so that a later run goes on from there.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:?usage: Scripts/fuzz.sh SECONDS [TARGET…]}
shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for folder in Fuzz/Corpus/*/; do targets+=("$(basename "$folder")"); done
fi

# Optimised, for ten times as many inputs; the traps of arithmetic, bounds and preconditions are in all the same.
scratch=.build/fuzz
SIGNET_FUZZ=1 swift build -c release --sanitize=fuzzer --sanitize=address --product signet-fuzz --scratch-path "$scratch"
fuzzer=$scratch/release/signet-fuzz

# Swift's own handler would read the dying process's memory, which the sanitizer takes for another find.
export SWIFT_BACKTRACE=enable=no

found=()
for target in "${targets[@]}"; do
    echo "== $target: $seconds seconds"
    mkdir -p "$scratch/corpus/$target" "Fuzz/Found/$target"
    dictionary=()
    [ -e "Fuzz/Dictionaries/$target.dict" ] && dictionary=("-dict=Fuzz/Dictionaries/$target.dict")
    # An input that takes ten seconds, or two gigabytes, is a find: the largest takes milliseconds and some megabytes.
    FUZZ_TARGET=$target "$fuzzer" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
        -print_final_stats=1 -artifact_prefix="Fuzz/Found/$target/" "${dictionary[@]}" \
        "$scratch/corpus/$target" "Fuzz/Corpus/$target" "Fuzz/Found/$target" 2>&1 |
        grep -vE '^#[0-9]+.*(NEW|REDUCE|pulse|RELOAD)' || found+=("$target")
    rmdir --ignore-fail-on-non-empty "Fuzz/Found/$target"
done
[ ${#found[@]} -eq 0 ] && exit 0
echo "fuzz: finds in: ${found[*]}: see Fuzz/Found" >&2
exit 1
