#!/bin/sh
# tolk-train as a program: limits, stop and resume, threads, lock, signals, full disk, kill -9.
build=${BUILD:-build}
train=$build/tolk-train
if [ ! -x "$train" ]; then
    echo "not ok test_train: $train is not built"
    exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Threads that spin while they wait slow a busy machine down.
export OMP_WAIT_POLICY=passive

for subject in 'ik:I' 'jij:you' 'wij:we' 'zij:they'; do
    for verb in 'zie:see' 'koop:buy' 'wil:want'; do
        for object in 'de kat:the cat' 'het huis:the house' 'een boek:a book' 'de hond:the dog'; do
            printf '%s %s %s .\t%s %s %s .\n' "${subject%:*}" "${verb%:*}" "${object%:*}" \
                "${subject#*:}" "${verb#*:}" "${object#*:}"
        done
    done
done >"$folder/train.tsv"
sed -n '1~7p' "$folder/train.tsv" >"$folder/dev.tsv"

# run DIR OPTIONS…: a small training, its messages in DIR.err
run() {
    run_to=$1
    shift
    "$train" --train "$folder/train.tsv" --dev "$folder/dev.tsv" --d-model 16 --heads 2 --ffn 32 \
        --encoder-layers 1 --decoder-layers 1 --batch-tokens 128 --warmup 10 --cooldown 0 \
        --best loss --validate-every 20 --log-every 5 --subword-alpha 0.3 --threads 1 -o "$folder/$run_to" "$@" \
        2>"$folder/$run_to.err"
}

check() {
    if [ "$2" = yes ]; then
        echo "ok $1"
    else
        echo "not ok $1"
        cat "$folder"/*.err
    fi
}

# The last validation was the best, so that the models compared are the last ones.
same_model() {
    for same_in in "$1" "$2"; do
        tail -n 1 "$folder/$same_in/training/log.jsonl" |
            grep -q '"type": "validation".*"best": true' || return 1
    done
    cmp -s "$folder/$1/model.safetensors" "$folder/$2/model.safetensors"
}

# ---- an uninterrupted training and its files
good=yes
run whole --updates 60 || good=no
for file in config.json generation_config.json model.safetensors source.spm target.spm vocab.json \
    tokenizer_config.json README.md training/state.safetensors training/log.jsonl training/curves.svg; do
    [ -s "$folder/whole/$file" ] || good=no
done
grep -q '^update 60/60 ' "$folder/whole.err" || good=no
grep -q '^validation at update 60: .*BLEU' "$folder/whole.err" || good=no
check trains $good

# ---- threads
good=yes
for threads in 2 4; do
    run threads --updates 60 --threads $threads --restart || good=no
    same_model whole threads || good=no
done
check threads_same_bits $good

# ---- stopped at an update and resumed
good=yes
run parts --updates 20 || good=no
run parts --updates 45 || good=no
run parts --updates 60 || good=no
grep -q 'resuming after update 45' "$folder/parts.err" || good=no
same_model whole parts || good=no
check resumed_same_bits $good

# ---- resumed although there is nothing left to do
good=yes
run parts --updates 60 || good=no
same_model whole parts || good=no
check nothing_left_to_do $good

# ---- SIGTERM and SIGINT: saved, status 0, resumed to the same bits
for signal in TERM INT; do
    good=yes
    rm -rf "$folder/signal"
    # A background job of a script ignores SIGINT from its start; env resets that where it can.
    (
        trap - INT
        exec env --default-signal=INT "$train" --train "$folder/train.tsv" --dev "$folder/dev.tsv" \
            --d-model 16 --heads 2 --ffn 32 --encoder-layers 1 --decoder-layers 1 \
            --batch-tokens 128 --warmup 10 --cooldown 0 --best loss --validate-every 20 \
            --log-every 5 --subword-alpha 0.3 --threads 1 -o "$folder/signal" --updates 100000
    ) 2>"$folder/signal.err" &
    process=$!
    for _ in $(seq 600); do
        grep -q '"update": 25,' "$folder/signal/training/log.jsonl" 2>/dev/null && break
        sleep 0.05
    done
    kill -$signal $process
    wait $process || good=no
    grep -q 'stopped by a signal' "$folder/signal.err" || good=no
    at=$(sed -n 's/.*saved after update \([0-9]*\);.*/\1/p' "$folder/signal.err")
    run signal --updates $((at + 20)) || good=no
    grep -q "resuming after update $at" "$folder/signal.err" || good=no
    run uninterrupted --updates $((at + 20)) --restart || good=no
    same_model signal uninterrupted || good=no
    check signal_$signal $good
done

# ---- one trainer to a directory
good=yes
run held --updates 100000 &
process=$!
for _ in $(seq 600); do
    grep -q '"update": 5,' "$folder/held/training/log.jsonl" 2>/dev/null && break
    sleep 0.05
done
"$train" --train "$folder/train.tsv" --dev "$folder/dev.tsv" -o "$folder/held" 2>"$folder/second.err"
[ $? -eq 1 ] || good=no
grep -q 'another tolk-train' "$folder/second.err" || good=no
pid=$(cat "$folder/held/training/lock")
kill -TERM "$pid"
wait $process
check lock $good

# ---- wrong options
good=yes
while read -r option value; do
    "$train" --train a --dev b -o "$folder/wrong" $option $value 2>"$folder/wrong.err"
    [ $? -eq 2 ] || good=no
    grep -q -e "$option" "$folder/wrong.err" || good=no
done <<END
--d-model 0
--dropout 2
--updates -1
--no-such-option
--minutes
--activation tanh
END
"$train" 2>"$folder/wrong.err"
[ $? -eq 2 ] || good=no
[ ! -e "$folder/wrong" ] || good=no
"$train" --help >"$folder/help" 2>"$folder/wrong.err" && grep -q -e --learning-rate "$folder/help" || good=no
check wrong_options $good

# ---- a resume that does not fit
good=yes
run parts --updates 70 --dropout 0.3 && good=no
grep -q -e '--dropout 0.1, found 0.3' "$folder/parts.err" || good=no
cp "$folder/train.tsv" "$folder/kept.tsv"
sed -i 's/kat/koe/' "$folder/train.tsv"
run parts --updates 70 && good=no
grep -q 'other sentences' "$folder/parts.err" || good=no
mv "$folder/kept.tsv" "$folder/train.tsv"
same_model whole parts || good=no
check resume_that_does_not_fit $good

# ---- a damaged state: an error, nothing overwritten
good=yes
cp -r "$folder/whole" "$folder/damaged"
head -c 5000 "$folder/whole/training/state.safetensors" >"$folder/damaged/training/state.safetensors"
run damaged --updates 70 && good=no
grep -q 'state.safetensors' "$folder/damaged.err" || good=no
[ "$(wc -c <"$folder/damaged/training/state.safetensors")" -eq 5000 ] || good=no
same_model whole damaged || good=no
check damaged_state $good

# ---- a model that no training here left is not overwritten
good=yes
mkdir "$folder/foreign"
echo precious >"$folder/foreign/model.safetensors"
run foreign --updates 5 && good=no
grep -q -e --restart "$folder/foreign.err" || good=no
[ "$(cat "$folder/foreign/model.safetensors")" = precious ] || good=no
check foreign_model_stays $good

# ---- full disk: the old checkpoint stays, and goes on when there is room
good=yes
cp -r "$folder/whole" "$folder/full"
blocks=$(($(wc -c <"$folder/full/training/state.safetensors") / 1024))
(
    ulimit -f $blocks
    run full --updates 70
) && good=no
grep -q 'state.safetensors.tmp: cannot write' "$folder/full.err" || good=no
cmp -s "$folder/whole/training/state.safetensors" "$folder/full/training/state.safetensors" || good=no
[ ! -e "$folder/full/training/state.safetensors.tmp" ] || good=no
run full --updates 80 || good=no
run whole --updates 80 || good=no
same_model whole full || good=no
check full_disk $good

# ---- kill -9 at any moment leaves a state that goes on, to the same bits
good=yes
for delay in 0.05 0.3 0.11 0.5 0.23 0.4 0.17; do
    run killed --updates 100000 --validate-every 2 --patience 0 &
    process=$!
    for _ in $(seq 200); do
        [ -s "$folder/killed/training/lock" ] && [ -e "$folder/killed/model.safetensors" ] && break
        sleep 0.05
    done
    sleep $delay
    # shellcheck disable=SC2046  # one number
    kill -9 $(cat "$folder/killed/training/lock")
    wait $process 2>/dev/null
    if [ -x "$build/tolk" ]; then
        echo 'ik zie de kat .' | "$build/tolk" translate "$folder/killed" >/dev/null 2>"$folder/killed.err" || good=no
    fi
done
run killed --updates 1 --validate-every 2 --patience 0 || good=no
at=$(sed -n 's/.*resuming after update \([0-9]*\).*/\1/p' "$folder/killed.err")
at=$((at + at % 2 + 2))
run killed --updates $at --validate-every 2 --patience 0 || good=no
run unkilled --updates $at --validate-every 2 --patience 0 || good=no
same_model killed unkilled || good=no
check kill_9 $good
