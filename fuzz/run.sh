#!/bin/sh
# Fuzzes each target for FUZZ_SECONDS, or those that are named; fails on the first finding and says where its input is.
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
seconds=${FUZZ_SECONDS:-60}
targets=${*:-names codec small index trie data sstable}
host=$(rustc -vV | sed -n 's/^host: //p')
out=${CARGO_TARGET_DIR:-target}/fuzz

command -v c++ >/dev/null || { echo "a C++ compiler is missing: apt-get install build-essential" >&2; exit 1; }

$cargo run -q -p fuzz-entries --bin fuzz-seed -- crates/facts/cassandra-formats/tests/fixtures "$out/corpus"

# The coverage that nightly's -Zsanitizer asks for, by the flags that stable has. With --target, build scripts and
# macros are left alone.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Ccodegen-units=1
    -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares" \
    $cargo build --release --locked --manifest-path fuzz/Cargo.toml --target "$host" --target-dir "$out"

for target in $targets; do
    found=fuzz/regressions/$target
    log=$out/$target.log
    mkdir -p "$found" "$out/corpus/$target"
    echo "== $target, for $seconds seconds"
    if ! FUZZ_TARGET=$target "$out/$host/release/fuzz" "$out/corpus/$target" "$found" \
        -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -max_len=98304 \
        -print_final_stats=1 -artifact_prefix="$found/" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        echo "fuzzing $target found something: its input is in $found, what it did in $log" >&2
        echo "fix it and keep the input: a test of cassandra-formats replays it" >&2
        exit 1
    fi
    grep -E 'cov: ' "$log" | tail -n 1
    grep -E 'stat::(number_of_executed_units|new_units_added|peak_rss_mb)' "$log"
done
