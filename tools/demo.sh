#!/bin/sh
# From a grammar to a translator in a few minutes: generates the toy corpus, trains on it, measures on
# sentences that it never saw, and shows what the attention did.  tools/demo.sh [BUILD]
set -eu
build=${1:-build}
corpus=$build/demo/corpus
model=$build/demo/model
sentence='De kat zit op de mat.'

mkdir -p "$build/demo"

say() { printf '\n== %s\n' "$1"; }

say 'Generating a Dutch–English toy corpus'
"$build/tolk-corpus" generate corpora/nl-en.grammar --pairs 40000 --exclude "$sentence" -o "$corpus"
head -n 4 "$corpus/train.tsv" | cut -f 1,2 | sed 's/^/  /'

say 'Training (under two minutes on two cores)'
"$build/tolk-train" --restart -o "$model" --train "$corpus/train.tsv" --dev "$corpus/dev.tsv" \
    --source-language nl --target-language en \
    --licence MIT --data-note 'Sentences drawn from corpora/nl-en.grammar.' \
    --vocab-size 800 --d-model 128 --heads 4 --ffn 512 --encoder-layers 3 --decoder-layers 3 \
    --dropout 0 --schedule cosine --average 0.99 --batch-tokens 2048 --learning-rate 0.004 --warmup 300 \
    --updates 2600 --validate-every 1300

say 'Held-out sentences'
for split in test combinations; do
    printf '%s:\n' "$split"
    "$build/tolk" evaluate "$model" "$corpus/$split.tsv"
done
head -n 4 "$corpus/test.tsv" | cut -f 1 >"$build/demo/sentences.txt"
"$build/tolk" translate "$model" <"$build/demo/sentences.txt" | paste "$build/demo/sentences.txt" - |
    awk -F '\t' '{ printf "  %s\n      → %s\n", $1, $2 }'

say "$sentence"
printf '%s\n' "$sentence" | "$build/tolk" translate "$model"
"$build/tolk" inspect "$model" "$sentence"
