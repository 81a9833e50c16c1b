#!/bin/sh
# How close to the limit of this machine we are: matrix products, full training steps, translation.
# Prints the tables and draws BUILD/bench/limits.svg; bench/prepare.sh comes first.
#   bench/run.sh BUILD MODEL
set -eu
build=$1
model=$2
programs=$build/bench
notes=$programs/limits.tsv
sentences=$programs/sentences.txt
threads=1
[ "$(nproc 2>/dev/null || echo 1)" -lt 2 ] || threads='1 2'

say() { printf '\n== %s\n' "$1"; }

: >"$notes"
say 'The machine'
# shellcheck disable=SC2086  # a list of numbers
"$programs/machine" $threads
say 'Matrix products of a training step'
# shellcheck disable=SC2086
"$programs/gemm" --notes "$notes" $threads
if [ -z "${TOLK_ISA:-}" ] && grep -q amx_bf16 /proc/cpuinfo 2>/dev/null; then
    say 'The same by vectors that multiply float32'
    # shellcheck disable=SC2086
    TOLK_ISA=avx512bf16 "$programs/gemm" $threads
fi

say 'Full training steps: forward, loss, backward, clipping, Adam'
precisions=float32
if "$programs/step" --precision bfloat16 --serve T </dev/null 2>/dev/null; then
    precisions='float32 bfloat16'
fi
for size in T B; do
    for precision in $precisions; do
        for n in $threads; do
            "$programs/step" --notes "$notes" --threads "$n" --precision "$precision" "$size"
        done
    done
done

say "Translation by $model"
for n in $threads; do
    for precision in float32 int8; do
        for beam in 1 4; do
            "$programs/translate" --notes "$notes" --threads "$n" --precision "$precision" --beam "$beam" \
                --sentences 512 "$model" "$sentences"
            "$programs/translate" --notes "$notes" --threads "$n" --precision "$precision" --beam "$beam" \
                --single --sentences 64 "$model" "$sentences"
        done
    done
done
"$programs/plot" 'Of the limit: the peak of float32 (int8: of int8); one sentence at a time: the bandwidth' \
    "$notes" "$programs/limits.svg"
echo
echo "drawn: $programs/limits.svg"
