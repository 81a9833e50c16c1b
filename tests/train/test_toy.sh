#!/bin/sh
# A real task from end to end: a toy language is drawn, learnt by tolk-train, translated by tolk, and the
# attention must find the gold alignment.
build=${BUILD:-build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

if [ ! -x "$build/tolk-train" ] || [ ! -x "$build/tolk" ] || [ ! -x "$build/tolk-corpus" ]; then
    echo "not ok the programs are built"
    exit 1
fi

check() { # check NAME CONDITION…
    name=$1
    shift
    if "$@"; then
        echo "ok $name"
    else
        echo "not ok $name"
        cat "$folder/log" "$folder/test" "$folder/combinations" 2>/dev/null
    fi
}

at_least() { awk -v found="$1" -v bound="$2" 'BEGIN { exit !(found != "" && found + 0 >= bound) }'; }
at_most() { awk -v found="$1" -v bound="$2" 'BEGIN { exit !(found != "" && found + 0 <= bound) }'; }
score() { awk -v word="$2" '$1 == word { print $2 }' "$folder/$1"; }

# Sanitizers and valgrind take many times as long: there it need not learn, only run.
if [ -n "${TOLK_TEST_SLOW:-}" ]; then
    pairs=300 dev=10 test=10 updates=5 exact=0 aer=1 guided=1
else
    pairs=4000 dev=200 test=300 updates=400 exact=98 aer=0.10 guided=0.01
fi
"$build/tolk-corpus" generate tests/fixtures/toy.grammar --pairs $pairs --dev $dev --test $test --combinations 0 \
    -o "$folder/toy" 2>"$folder/log"
train() { # train NAME OPTIONS…
    train_to=$1
    shift
    "$build/tolk-train" -o "$folder/$train_to" --train "$folder/toy/train.tsv" --dev "$folder/toy/dev.tsv" \
        --d-model 64 --heads 4 --ffn 256 --encoder-layers 1 --decoder-layers 2 --vocab-size 90 --dropout 0.1 \
        --precision float32 --batch-tokens 2048 --learning-rate 0.005 --warmup 100 --average 0.98 \
        --updates $updates --validate-every $updates "$@" 2>>"$folder/log"
}
train model
check "training ends well" [ $? -eq 0 ]
"$build/tolk" evaluate "$folder/model" "$folder/toy/test.tsv" >"$folder/test" 2>&1
check "the model directory translates" [ $? -eq 0 ]
check "held-out sentences are exact ($(score test exact) %, at least $exact)" at_least "$(score test exact)" $exact
"$build/tolk" evaluate --precision int8 "$folder/model" "$folder/toy/test.tsv" >"$folder/int8" 2>&1
check "8-bit integers translate nearly as well ($(score int8 exact) % exact, at least $((exact - 2)))" \
    at_least "$(score int8 exact)" $((exact - 2))
check "attention finds the gold alignment (AER $(score test AER), at most $aer)" at_most "$(score test AER)" $aer
check "the layer that aligns best is stored" grep -q alignment_layer "$folder/model/config.json"

train guided --guided-alignment corpus
check "a guided training ends well" [ $? -eq 0 ]
"$build/tolk" evaluate "$folder/guided" "$folder/toy/test.tsv" >"$folder/test" 2>&1
check "the guided model is as exact ($(score test exact) %, at least $exact)" at_least "$(score test exact)" $exact
check "the guided head finds the gold alignment (AER $(score test AER), at most $guided)" \
    at_most "$(score test AER)" $guided
