#!/bin/sh
# bench/plot: a bar for each fraction, and no endless picture of one that is none.
program=${BUILD:-build}/bench/plot
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

check() { # NAME: the status of the last command
    if [ "$2" -eq 0 ]; then echo "ok $1"; else echo "not ok $1"; fi
}

printf 'step T\t0.5\nstep B\t2.4\n' >"$folder/notes.tsv"
"$program" Title "$folder/notes.tsv" "$folder/drawn.svg" 2>"$folder/err" && [ ! -s "$folder/err" ] &&
    [ "$(grep -c 'class="bar"' "$folder/drawn.svg")" -eq 2 ] && grep -q '>240 %<' "$folder/drawn.svg"
check "draws a bar for each fraction" $?

refuses() { # NAME LINE: as the second line, it is named, and the picture stays what it was
    printf 'step T\t0.5\n%b\n' "$2" >"$folder/notes.tsv"
    echo before >"$folder/kept.svg"
    "$program" Title "$folder/notes.tsv" "$folder/kept.svg" 2>"$folder/err"
    [ $? -eq 1 ] && grep -q 'notes.tsv:2: expected a label, a tab and a fraction' "$folder/err" &&
        [ "$(cat "$folder/kept.svg")" = before ]
    check "$1" $?
}
refuses "refuses an infinite fraction" 'step B\tinf'
refuses "refuses what is no number" 'step B\tnan'
refuses "refuses a line without a fraction" 'step B'
