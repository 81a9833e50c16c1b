#!/bin/sh
# tolk-corpus as a user meets it: what it prints, writes and refuses.
program=${BUILD:-build}/tolk-corpus
grammar=corpora/nl-en.grammar
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

check() { # NAME: the status of the last command
    if [ "$2" -eq 0 ]; then echo "ok $1"; else echo "not ok $1"; fi
}

# STATUS TEXT ARGUMENTS…: the program leaves with the status and says the text on standard error
refuses() {
    name=$1 status=$2 text=$3
    shift 3
    "$program" "$@" >"$folder/out" 2>"$folder/err"
    [ $? -eq "$status" ] && [ ! -s "$folder/out" ] && grep -q -e "$text" "$folder/err"
    check "$name" $?
}

"$program" generate "$grammar" -n 7 -s 3 >"$folder/a" 2>"$folder/err"
[ "$(awk -F '\t' 'NF == 3' "$folder/a" | wc -l)" -eq 7 ] && [ ! -s "$folder/err" ]
check "prints pairs with their links" $?

"$program" generate "$grammar" -n 200 --dev 20 --test 20 --combinations 20 -o "$folder/c" 2>/dev/null &&
    [ "$(wc -l <"$folder/c/train.tsv")" -eq 200 ] && [ "$(wc -l <"$folder/c/combinations.tsv")" -eq 20 ]
check "writes the splits" $?

sentence=$(head -n 1 "$folder/c/train.tsv" | cut -f 1)
"$program" generate "$grammar" -n 200 --dev 20 --test 20 --combinations 20 -o "$folder/d" -x "$sentence" 2>/dev/null &&
    ! grep -qF "$sentence	" "$folder"/d/*.tsv
check "keeps an excluded sentence out" $?

"$program" generate "$grammar" -n 200 --dev 20 --test 0 --combinations 0 -o "$folder/c" 2>/dev/null &&
    [ -s "$folder/c/dev.tsv" ] && [ ! -e "$folder/c/test.tsv" ] && [ ! -e "$folder/c/combinations.tsv" ]
check "leaves no split of an earlier corpus" $?

"$program" generate --help | grep -q '^Usage: tolk-corpus generate'
check "helps" $?

"$program" --version | grep -qx 'tolk-corpus [0-9.]*'
check "tells its version" $?

refuses "names an unknown option" 2 "unrecognized option '--pears'" generate "$grammar" --pears 3
refuses "names a number that is none" 2 '--pairs: expected a number' generate "$grammar" --pairs x
refuses "asks for a grammar" 2 'expected: a grammar file' generate
refuses "names an unknown command" 2 'unknown command "generat"' generat
refuses "names an option that is no command" 2 'unknown option "--pairs"' --pairs
refuses "asks for a command" 2 'Usage:'
refuses "names a missing file" 1 "none.grammar: cannot open" generate none.grammar
refuses "says that the disk refuses" 1 '/proc/tolk' generate "$grammar" -n 1 -o /proc/tolk
