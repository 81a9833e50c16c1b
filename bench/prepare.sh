#!/bin/sh
# What translation is measured with: BUILD/bench/sentences.txt and, where MODEL does not exist, a model of
# size T, trained for some minutes. Real pairs when they are there (TOLK_TATOEBA), else the toy language,
# whose vocabulary is smaller; trained, so that translations end where they should.
#   bench/prepare.sh BUILD MODEL
set -eu
build=$1
model=$2
corpus=${TOLK_TATOEBA:-../shared/corpora/tatoeba-nl-en}
vocabulary=8000 updates=1000

mkdir -p "$build/bench"
if [ ! -f "$corpus/train.tsv" ]; then
    corpus=$build/bench/corpus vocabulary=800 updates=300
    [ -f "$corpus/train.tsv" ] ||
        "$build/tolk-corpus" generate corpora/nl-en.grammar --pairs 20000 -o "$corpus"
fi
cut -f 1 "$corpus/test.tsv" >"$build/bench/sentences.txt"

[ ! -f "$model/model.safetensors" ] || exit 0
echo "Training $model to translate with ($updates updates)" >&2
"$build/tolk-train" --restart -o "$model" --train "$corpus/train.tsv" --dev "$corpus/dev.tsv" \
    --vocab-size "$vocabulary" --batch-tokens 2048 --warmup 300 --schedule linear --updates "$updates" \
    --validate-every "$updates" --validate-sentences 100
