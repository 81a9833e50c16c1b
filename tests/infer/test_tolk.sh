#!/bin/sh
# The program itself: what it prints where, and its exit status. What the commands do with a model is
# tested by test_commands.c.
tolk=${BUILD:-build}/tolk
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# expect NAME STATUS STREAM TEXT ARGUMENT…: the program ends with STATUS, and TEXT stands in STREAM
# (out or log), while the other stream is empty.
expect() {
    name=$1 wanted=$2 stream=$3 text=$4
    shift 4
    "$tolk" "$@" >"$folder/out" 2>"$folder/log" </dev/null
    status=$?
    case $stream in out) other=log ;; *) other=out ;; esac
    if [ "$status" -eq "$wanted" ] && grep -qF -e "$text" "$folder/$stream" &&
        [ ! -s "$folder/$other" ]; then
        echo "ok $name"
    else
        echo "not ok $name: status $status"
        cat "$folder/out" "$folder/log"
    fi
}

expect help 0 out 'Usage: tolk COMMAND' --help
expect version 0 out 'tolk ' --version
expect no_command 2 log 'Usage: tolk COMMAND'
expect unknown_command 2 log 'tolk: unknown command "translat"; see `tolk --help`' translat
expect unknown_option 2 log 'tolk: unknown option "--frob"' --frob
for command in translate score align evaluate inspect; do
    expect "${command}_help" 0 out "Usage: tolk $command" $command --help
    expect "${command}_wrong_option" 2 log "unknown or ambiguous option --frob; see \`tolk $command --help\`" \
        $command --frob
    expect "${command}_no_operand" 2 log "tolk $command: expected " $command
done
(
    export TOLK_ISA=mmx
    expect unknown_instruction_set 1 log 'tolk: TOLK_ISA: expected one of ' translate "$folder/none"
    expect help_with_any_instruction_set 0 out 'Usage: tolk COMMAND' --help
)
expect missing_model 1 log "$folder/none" translate "$folder/none"

if "$tolk" --help >&- 2>/dev/null; then
    echo 'not ok closed_output'
else
    echo 'ok closed_output'
fi
