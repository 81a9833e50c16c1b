#!/bin/sh
# corpora/fetch-tatoeba.sh on made-up downloads, without the network. tests/fixtures/nld-eng.zip holds
# the nld.txt that `made_up` prints and an _about.txt of one line.
set -u
TOLK_CORPUS=${BUILD:-build}/tolk-corpus
export TOLK_CORPUS
fetch=corpora/fetch-tatoeba.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() { # NAME CONDITION…
    name=$1
    shift
    if "$@"; then
        echo "ok $name"
    else
        echo "not ok $name"
        sed 's/^/    /' "$work/out" "$work/err"
        failed=1
    fi
}

run() { # what comes out goes to files, the exit status to $status
    "$@" >"$work/out" 2>"$work/err"
    status=$?
}

says() { # STATUS TEXT: the exit status, and standard error holds the text
    [ "$status" -eq "$1" ] && grep -qF -e "$2" "$work/err"
}

made_up() {
    for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
        printf 'Cat %d  sleeps.\tKat %d slaapt.\tCC-BY 2.0 (France) Attribution: tatoeba.org #%d (An) & #1%d (Bo %d)\n' $i $i $i $i $i
    done
}

whole() { # FOLDER: all the files, twenty pairs, credits
    [ "$status" -eq 0 ] &&
        [ "$(cat "$1"/train.tsv "$1"/dev.tsv "$1"/test.tsv | sort -u | wc -l)" -eq 20 ] &&
        [ "$(wc -l <"$1/test.tsv")" -eq 3 ] && [ "$(wc -l <"$1/test.attribution.tsv")" -eq 3 ] &&
        [ "$(wc -l <"$1/dev.tsv")" -eq 2 ] && grep -q 'CC BY 2.0 FR' "$1/README.md" &&
        grep -qx '      15  train' "$work/out" && grep -q '  15  train' "$1/README.md" &&
        grep -qx 'An' "$1/CONTRIBUTORS.txt" && grep -qx 'Bo 7' "$1/CONTRIBUTORS.txt" &&
        grep -qx "Kat 7 slaapt.	Cat 7 sleeps." "$1"/*.tsv
}

if ! "$TOLK_CORPUS" prepare --help >/dev/null 2>&1; then
    echo "not ok fetch: $TOLK_CORPUS prepare does not run"
    exit 1
fi

made_up >"$work/nld.txt"
run $fetch --from "$work/nld.txt" --dev 2 --test 3 "$work/txt"
check fetch_from_text whole "$work/txt"

if command -v unzip >/dev/null || command -v bsdtar >/dev/null; then
    run $fetch --from tests/fixtures/nld-eng.zip --dev 2 --test 3 "$work/zip"
    check fetch_from_zip whole "$work/zip"
    check fetch_keeps_the_about grep -q 'made up' "$work/zip/ABOUT-manythings.txt"
    check fetch_is_deterministic cmp -s "$work/txt/train.tsv" "$work/zip/train.tsv"
    { printf PK && made_up; } >"$work/broken.zip"
    run $fetch --from "$work/broken.zip" "$work/none"
    check fetch_refuses_a_broken_zip says 1 "$work/broken.zip: expected an archive with nld.txt in it"
else
    echo "SKIP fetch_from_zip: no unzip, no bsdtar"
fi

# A curl that brings the made-up file, and one that has no network.
mkdir "$work/bin"
cat >"$work/bin/curl" <<'END'
#!/bin/sh
while [ "$1" != --output ]; do shift; done
cp "$DOWNLOAD" "$2"
END
chmod +x "$work/bin/curl"
PATH=$work/bin:$PATH
DOWNLOAD=$work/nld.txt
export DOWNLOAD
run $fetch --dev 2 --test 3 "$work/net"
check fetch_downloads whole "$work/net"
DOWNLOAD=$work/missing
run $fetch "$work/none"
check fetch_says_that_it_cannot_download says 1 "cannot download https://www.manythings.org/anki/nld-eng.zip; fetch it by hand"
echo '<!doctype html>' >"$work/page.html"
DOWNLOAD=$work/page.html
run $fetch "$work/none"
check fetch_refuses_a_web_page says 1 ":1: expected English<TAB>Dutch<TAB>attribution"

run $fetch --from "$work/missing" "$work/none"
check fetch_needs_the_file says 1 "$work/missing: expected a file that can be read"
run $fetch --from "$work/nld.txt" "$work/none"
check fetch_needs_enough_pairs says 1 "$work/nld.txt: expected enough pairs for 1500 in dev"
check fetch_leaves_nothing_behind [ ! -e "$work/none" ]
TOLK_CORPUS=$work/missing run $fetch --from "$work/nld.txt" "$work/none"
check fetch_needs_the_program says 1 "build it with: make"

run $fetch --sideways
check fetch_names_the_option says 2 "unknown option --sideways"
run $fetch --dev many
check fetch_names_the_value says 2 '--dev: expected a number, found "many"'
run $fetch --from
check fetch_needs_a_value says 2 "--from: expected a value"
run $fetch one two
check fetch_takes_one_folder says 2 "one folder too many: two"
run "$TOLK_CORPUS" prepare --seed x a b
check prepare_names_the_value says 2 '--seed: expected a number'
run "$TOLK_CORPUS" prepare a
check prepare_needs_two_names says 2 "expected a file and a folder, found 1 names"

exit $failed
