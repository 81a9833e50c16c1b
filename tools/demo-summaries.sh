#!/bin/sh
# The same two programs learn another task: a few Dutch sentences → one line that keeps the essential.
#   tools/demo-summaries.sh [BUILD]
set -eu
build=${1:-build}
corpus=$build/demo/summaries
model=$build/demo/summaries.model
mkdir -p "$build/demo"

"$build/tolk-corpus" generate corpora/summaries.grammar --pairs 20000 -o "$corpus"
"$build/tolk-train" --restart -o "$model" --train "$corpus/train.tsv" --dev "$corpus/dev.tsv" \
    --licence MIT --data-note 'Stories drawn from corpora/summaries.grammar.' \
    --vocab-size 390 --d-model 128 --heads 4 --ffn 512 --encoder-layers 2 --decoder-layers 2 \
    --dropout 0 --schedule cosine --average 0.99 --batch-tokens 2048 --learning-rate 0.004 --warmup 300 \
    --updates 1500 --validate-every 500
for split in test combinations; do
    printf '%s:\n' "$split"
    "$build/tolk" evaluate "$model" "$corpus/$split.tsv"
done
head -n 3 "$corpus/test.tsv" | cut -f 1 >"$build/demo/stories.txt"
"$build/tolk" translate "$model" <"$build/demo/stories.txt" | paste "$build/demo/stories.txt" - |
    awk -F '\t' '{ printf "  %s\n      → %s\n", $1, $2 }'
