#!/bin/sh
# A model of size T to translate with, where there is none: trained for some minutes on real pairs when
# they are there (TOLK_TATOEBA), so that translations have the lengths of sentences, else on the toy
# language, whose vocabulary is smaller.  bench/model.sh BUILD MODEL
set -eu
build=$1
model=$2
tatoeba=${TOLK_TATOEBA:-../shared/corpora/tatoeba-nl-en}

[ ! -f "$model/model.safetensors" ] || exit 0
if [ -f "$tatoeba/train.tsv" ]; then
    train=$tatoeba/train.tsv dev=$tatoeba/dev.tsv vocabulary=8000 updates=1000
else
    corpus=$build/bench/corpus
    "$build/tolk-corpus" generate corpora/nl-en.grammar --pairs 20000 -o "$corpus"
    train=$corpus/train.tsv dev=$corpus/dev.tsv vocabulary=800 updates=300
fi
echo "Training $model to translate with ($updates updates)" >&2
"$build/tolk-train" --restart -o "$model" --train "$train" --dev "$dev" --vocab-size "$vocabulary" \
    --batch-tokens 2048 --warmup 300 --schedule linear --updates "$updates" --validate-every "$updates" \
    --validate-sentences 100
