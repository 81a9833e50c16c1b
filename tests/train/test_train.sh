#!/bin/sh
# tolk-train as a program: limits, stop and resume, threads, lock, signals, long pairs,
# foreign files, full disk, kill -9.
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

# The bytes of all that a state holds for the updates to come: weights, average and moments.
arenas() {
    arenas_header=$(od -An -tu8 -N8 "$1" | tr -d ' ')
    tail -c +9 "$1" | head -c "$arenas_header" |
        grep -o '"\(weights\|average\|first_moment\|second_moment\)\.[^{}]*{[^{}]*}' |
        sed 's/.*"data_offsets": *\[ *\([0-9]*\), *\([0-9]*\) *\].*/\1 \2/' |
        while read -r begin end; do
            tail -c +$((9 + arenas_header + begin)) "$1" | head -c $((end - begin))
        done
}

same_state() {
    for same_in in "$1" "$2"; do
        arenas "$folder/$same_in/training/state.safetensors" >"$folder/$same_in.arenas" || return 1
    done
    [ -s "$folder/$1.arenas" ] && cmp -s "$folder/$1.arenas" "$folder/$2.arenas"
}

# wait_for PATTERN DIR: until the log of the training has it
wait_for() {
    for _ in $(seq 6000); do
        grep -q "$1" "$folder/$2/training/log.jsonl" 2>/dev/null && return
        sleep 0.05
    done
}

# ---- the second start has the processors of the first
places=$(env -u OMP_WAIT_POLICY OMP_PROC_BIND=true OMP_DISPLAY_ENV=true "$train" \
    --train "$folder/none.tsv" -o "$folder/none" 2>&1 | grep OMP_PLACES)
[ "$(echo "$places" | wc -l)" = 2 ] && [ "$(echo "$places" | uniq | wc -l)" = 1 ] && same=yes || same=no
check 'bound threads keep their places when the program starts itself again' "$same"

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
    wait_for '"update": 25,' signal
    kill -$signal $process
    wait $process || good=no
    grep -q 'stopped by a signal' "$folder/signal.err" || good=no
    at=$(sed -n 's/.*saved after update \([0-9]*\);.*/\1/p' "$folder/signal.err")
    run signal --updates $((at + 20)) || good=no
    grep -q "resuming after update $at" "$folder/signal.err" || good=no
    run uninterrupted --updates $((at + 20)) --restart || good=no
    same_state signal uninterrupted || good=no
    check signal_$signal $good
done

# ---- the same where the learning rate falls with the budget of epochs
good=yes
run cooled --epochs 150 --cooldown 0.2 --validate-every 1000000 &
process=$!
wait_for '"update": 25,' cooled
kill -TERM "$(cat "$folder/cooled/training/lock")"
wait $process || good=no
grep -q 'stopped by a signal' "$folder/cooled.err" || good=no
run cooled --epochs 150 --cooldown 0.2 --validate-every 1000000 || good=no
grep -q 'resuming after update' "$folder/cooled.err" || good=no
run uncooled --epochs 150 --cooldown 0.2 --validate-every 1000000 || good=no
same_state cooled uncooled || good=no
check signal_before_the_cooldown $good

# ---- limits, and batches put together
good=yes
run still --updates 1000 --patience 2 --learning-rate 0 || good=no
grep -q 'done after update 60: no better model for as long as --patience' "$folder/still.err" || good=no
check patience $good

good=yes
run epochs --epochs 3 --subword-alpha 0 --log-every 1 || good=no
batches=$(($(grep -c '"type": "update"' "$folder/epochs/training/log.jsonl") / 3))
[ "$batches" -gt 2 ] || good=no
grep -q "done after update $((3 * batches)): the limit given" "$folder/epochs.err" || good=no
[ "$(grep -c '"type": "update".*"epoch": 3' "$folder/epochs/training/log.jsonl")" -eq 1 ] || good=no
check epochs $good

good=yes
run accumulated --epochs 3 --subword-alpha 0 --accumulate 2 || good=no
grep -q "done after update $((3 * ((batches + 1) / 2))): the limit given" "$folder/accumulated.err" || good=no
check accumulate $good

# ---- guided alignment: in the log and the config, resumed to the same bits, by the same links alone
good=yes
sed 's/.*/0-0 1-1 2-2 3-3 4-4/' "$folder/train.tsv" >"$folder/links"
guide() { # guide DIR OPTIONS…
    guide_to=$1
    shift
    run "$guide_to" --guided-alignment "$folder/links" --guided-head 1 "$@"
}
guide guided --updates 60 || good=no
guide guided_parts --updates 25 || good=no
guide guided_parts --updates 60 --threads 2 || good=no
same_model guided guided_parts || good=no
same_model whole guided && good=no
grep -q '^update 60/60 .* alignment [0-9.]* ' "$folder/guided.err" || good=no
grep -q '"type": "update".*"guided_loss": [0-9.]*,' "$folder/guided/training/log.jsonl" || good=no
grep -q 'guided_loss' "$folder/whole/training/log.jsonl" && good=no
tr -d ' \n' <"$folder/guided/config.json" |
    grep -q '"alignment_layer":0,"alignment_heads":\[1\],"alignment_shift":true' || good=no
check guided_alignment $good

good=yes
sed 's/$/\t0-0 1-1 2-2 3-3 4-4/' "$folder/dev.tsv" >"$folder/gold.tsv"
guide measured --updates 20 --dev "$folder/gold.tsv" || good=no
grep -q '^validation at update 20: .* AER 0\.[0-9]* ' "$folder/measured.err" || good=no
grep -q '"type": "validation".*"aer": 0\.' "$folder/measured/training/log.jsonl" || good=no
grep -q '"aer"' "$folder/guided/training/log.jsonl" && good=no
check guided_aer_on_dev $good

good=yes
guide guided_parts --updates 70 --guided-weight 0.2 && good=no
grep -q -e '--guided-weight 1, found 0.2' "$folder/guided_parts.err" || good=no
run guided_parts --updates 70 --guided-head 1 && good=no
grep -q 'other links to be guided by' "$folder/guided_parts.err" || good=no
sed -i '3s/.*/0-9/' "$folder/links"
guide guided_parts --updates 70 && good=no
grep -q 'links:3: column 1' "$folder/guided_parts.err" || good=no
same_model guided guided_parts || good=no
check guided_by_other_links $good

# ---- without gold, what the statistical aligner says chooses the head
good=yes
grep -q 'attention aligns best in layer 0, .* against the statistical aligner' "$folder/whole.err" || good=no
grep -q alignment_layer "$folder/whole/config.json" || good=no
check alignment_by_agreement $good

# ---- two files, bad lines and the other layout
good=yes
cut -f 1 "$folder/train.tsv" | sed '3s/.*//' >"$folder/train.nl"
cut -f 2 "$folder/train.tsv" >"$folder/train.en"
moses() {
    "$train" --train-source "$folder/train.nl" --train-target "$folder/train.en" --dev "$folder/dev.tsv" \
        --d-model 16 --heads 2 --ffn 32 --encoder-layers 1 --decoder-layers 1 --batch-tokens 128 --threads 1 \
        --post-norm --updates 5 -o "$folder/moses" "$@" 2>"$folder/moses.err"
}
moses && good=no
grep -q 'train.nl:3:' "$folder/moses.err" || good=no
moses --skip-bad || good=no
grep -q '47 pairs to train on' "$folder/moses.err" || good=no
grep -q 'skipped 1 bad lines of train' "$folder/moses.err" || good=no
grep -q '"normalize_before": *false' "$folder/moses/config.json" || good=no
if [ -x "$build/tolk" ]; then
    echo 'ik zie de kat .' | "$build/tolk" translate "$folder/moses" >/dev/null 2>>"$folder/moses.err" || good=no
fi
check moses_skip_bad_post_norm $good

# ---- weights that leave the numbers: ten updates in a row are not finite
good=yes
run wild --updates 1000 --warmup 0 --schedule constant --learning-rate 10 --weight-decay 10 --clip 0 && good=no
grep -q 'was not finite 10 times in a row' "$folder/wild.err" || good=no
[ "$(grep -c 'this update is left out' "$folder/wild.err")" -eq 9 ] || good=no
[ -s "$folder/wild/training/state.safetensors" ] || good=no
check not_finite $good

# ---- pairs that are too long: said, left out, and not drawn from (which would take all memory)
good=yes
cp "$folder/train.tsv" "$folder/kept.tsv"
awk 'BEGIN { for (i = 0; i < 70000; i++) printf "ik zie de kat "; print "\tI see" }' >>"$folder/train.tsv"
awk -F '\t' -v OFS='\t' '{ print $1, $2, "0-0 1-1" }
    END { for (i = 0; i < 700; i++) printf "kat "; print "\tcat\t0-0" }' "$folder/dev.tsv" >"$folder/long.tsv"
(
    [ -n "${TOLK_TEST_SLOW:-}" ] || ulimit -v 1000000 # the sanitizers reserve more
    run long --dev "$folder/long.tsv" --updates 5 --subword-nbest 64
) || good=no
grep -q 'left out 1 pairs longer than --max-length or --batch-tokens' "$folder/long.err" || good=no
grep -q 'left out 1 pairs of dev' "$folder/long.err" || good=no
grep -q 'attention aligns best' "$folder/long.err" || good=no
mv "$folder/kept.tsv" "$folder/train.tsv"
check long_pairs $good

# ---- another --best judges by its own score of the best so far
good=yes
run judged --updates 20 --best bleu || good=no
run judged --updates 60 --best loss || good=no
same_model whole judged || good=no
check other_best $good

# ---- a command that must fail leaves an earlier training as it was
good=yes
cp -r "$folder/whole" "$folder/again"
run again --updates 60 --restart --batch-tokens 8 && good=no
cp "$folder/whole/training/lock" "$folder/again/training/lock"
diff -r "$folder/whole" "$folder/again" >>"$folder/again.err" || good=no
run again --updates 60 || good=no
grep -q 'resuming after update 60' "$folder/again.err" || good=no
run corrected --updates 5 --batch-tokens 8 && good=no
grep -q 'no sentence pair left' "$folder/corrected.err" || good=no
run corrected --updates 5 || good=no
check failing_command_changes_nothing $good

# ---- begun anew, the folder does not speak of the model that was there
good=yes
cp -r "$folder/whole" "$folder/anew"
rm "$folder/anew/training/log.jsonl"
run anew --restart --updates 100000 --validate-every 1000000 &
process=$!
wait_for '"update": 5,' anew
[ ! -e "$folder/anew/README.md" ] && [ ! -e "$folder/anew/model.safetensors" ] || good=no
kill -TERM "$(cat "$folder/anew/training/lock")"
wait $process || good=no
check begun_anew $good

# ---- a model that cannot be written is an error at the end, and made up for
good=yes
run unwritten --updates 20 || good=no
mkdir "$folder/unwritten/model.safetensors.tmp"
run unwritten --updates 60 && good=no
grep -q 'model.safetensors: is the model of update 20; a better one could not be written' "$folder/unwritten.err" || good=no
rmdir "$folder/unwritten/model.safetensors.tmp"
run unwritten --updates 60 || good=no
same_model whole unwritten || good=no
check unwritten_model $good

# ---- one trainer to a directory
good=yes
run held --updates 100000 &
process=$!
wait_for '"update": 5,' held
"$train" --train "$folder/train.tsv" --dev "$folder/dev.tsv" -o "$folder/held" 2>"$folder/second.err"
[ $? -eq 1 ] || good=no
grep -q 'another tolk-train' "$folder/second.err" || good=no
pid=$(cat "$folder/held/training/lock")
kill -TERM "$pid"
wait $process
check lock $good

# ---- help and version are results: on standard output, and missed where it is full
good=yes
"$train" --help | grep -q '^Usage: tolk-train ' || good=no
"$train" --version | grep -qx 'tolk-train [0-9.]*' || good=no
if [ -c /dev/full ]; then
    "$train" --help >/dev/full 2>"$folder/help.err" && good=no
    grep -q 'cannot write the output' "$folder/help.err" || good=no
fi
check help_and_version $good

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

# ---- what no training here left is not overwritten
good=yes
mkdir "$folder/foreign"
echo precious >"$folder/foreign/model.safetensors"
run foreign --updates 5 && good=no
grep -q -e --restart "$folder/foreign.err" || good=no
[ "$(cat "$folder/foreign/model.safetensors")" = precious ] || good=no
for file in config.json source.spm target.spm vocab.json tokenizer_config.json generation_config.json README.md; do
    rm -rf "$folder/foreign"
    mkdir "$folder/foreign"
    echo precious >"$folder/foreign/$file"
    run foreign --updates 5 && good=no
    grep -q -e "$file.*--restart" "$folder/foreign.err" || good=no
    [ "$(cat "$folder/foreign/$file")" = precious ] || good=no
    [ ! -e "$folder/foreign/training" ] || good=no
done
run foreign --updates 5 --restart || good=no
check foreign_files_stay $good

# ---- stopped behind the tokenizer and before the first state: the same command begins anew
good=yes
mkdir -p "$folder/early/training/state.safetensors.tmp"
run early --updates 5 && good=no
[ -s "$folder/early/source.spm" ] || good=no
[ ! -e "$folder/early/training/state.safetensors" ] || good=no
rmdir "$folder/early/training/state.safetensors.tmp"
run early --updates 5 || good=no
[ ! -e "$folder/early/training/beginning" ] || good=no
rm "$folder/early/training/state.safetensors"
run early --updates 5 && good=no
check stopped_before_the_first_state $good

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
killed=
for delay in 0.05 0.3 0.11 0.5 0.23 0.4 0.17; do
    run killed --updates 100000 --validate-every 2 --patience 0 &
    process=$!
    # The lock of the one killed before lies there until the next has taken it.
    for _ in $(seq 6000); do
        pid=$(cat "$folder/killed/training/lock" 2>/dev/null)
        [ -n "$pid" ] && [ "$pid" != "$killed" ] && [ -e "$folder/killed/model.safetensors" ] && break
        sleep 0.05
    done
    killed=$pid
    sleep $delay
    kill -9 "$killed"
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
same_state killed unkilled || good=no
check kill_9 $good
