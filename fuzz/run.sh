#!/bin/sh
# Fuzzes each target for so many seconds, one after the other, from the committed corpus.
# What is found stays in fuzz/work/TARGET; an input that fails, in fuzz/artifacts/TARGET.
# Needs a nightly compiler and cargo-fuzz: cargo install cargo-fuzz --locked.
#
#   fuzz/run.sh SECONDS [TARGET...]
set -eu
cd "$(dirname "$0")/.."
seconds=${1:?seconds for each target}
shift
[ $# -gt 0 ] || set -- $(cargo +nightly fuzz list)
failed=
for target; do
    mkdir -p "fuzz/work/$target"
    echo "== $target"
    cargo +nightly fuzz run --sanitizer none "$target" "fuzz/work/$target" "fuzz/corpus/$target" -- \
        -max_total_time="$seconds" -max_len=16384 -timeout=120 -rss_limit_mb=2048 \
        -print_final_stats=1 || failed="$failed $target"
done
[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }
