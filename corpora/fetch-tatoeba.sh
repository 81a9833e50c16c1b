#!/bin/sh
# Brings the Dutch-English sentence pairs of Tatoeba, as ManyThings offers them, and makes train, dev
# and test files of them:
#
#   corpora/fetch-tatoeba.sh [--from FILE] [--dev N] [--test N] [--seed S] [FOLDER]
#
# FILE is a download that is there already: ManyThings' zip or the nld.txt in it, or Tatoeba's own
# export of sentence pairs (number, Dutch, number, English). FOLDER is corpora/tatoeba-nl-en unless
# it is named. TOLK_CORPUS names the program that does the work, else build/tolk-corpus.
# Exit status: 0 done, 1 failed, 2 wrong usage.
set -u

url=https://www.manythings.org/anki/nld-eng.zip
top=$(dirname "$0")/..
program=${TOLK_CORPUS:-$top/build/tolk-corpus}
from= folder= options=

say() {
    printf 'fetch-tatoeba.sh: %s\n' "$1" >&2
}

fail() {
    say "$1"
    exit 1
}

wrong_usage() {
    say "$1"
    sed -n '5p' "$0" | sed 's/^# */usage: /' >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
    --from | --dev | --test | --seed)
        [ $# -ge 2 ] || wrong_usage "$1: expected a value"
        case $1,$2 in
        --from,*) from=$2 ;;
        *,*[!0-9]* | *,) wrong_usage "$1: expected a number, found \"$2\"" ;;
        *) options="$options $1 $2" ;;
        esac
        shift
        ;;
    -h | --help)
        sed -n '2,/^set/s/^# \{0,1\}//p' "$0"
        exit 0
        ;;
    -*) wrong_usage "unknown option $1" ;;
    *)
        [ -z "$folder" ] || wrong_usage "one folder too many: $1"
        folder=$1
        ;;
    esac
    shift
done
folder=${folder:-$top/corpora/tatoeba-nl-en}

[ -x "$program" ] || fail "$program: expected the program; build it with: make"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# The site turns away agents that do not name themselves as a browser does.
download() {
    agent='Mozilla/5.0 (compatible; tolk)'
    say "downloading $url"
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --user-agent "$agent" --output "$1" "$url"
    elif command -v wget >/dev/null; then
        wget --no-verbose --user-agent="$agent" --output-document="$1" "$url"
    else
        fail "expected curl or wget; install one, or name a file with --from"
    fi || fail "cannot download $url; fetch it by hand and name it with --from"
}

# extract ARCHIVE MEMBER: to standard output.
extract() {
    if command -v unzip >/dev/null; then
        unzip -p "$1" "$2"
    elif command -v bsdtar >/dev/null; then
        bsdtar -xOf "$1" "$2"
    else
        fail "expected unzip or bsdtar; install one, or name the nld.txt of the archive with --from"
    fi
}

if [ -z "$from" ]; then
    from=$work/nld-eng.zip
    download "$from"
fi
[ -f "$from" ] && [ -r "$from" ] || fail "$from: expected a file that can be read"

pairs=$from
about=
if [ "$(head -c 2 "$from")" = PK ]; then
    pairs=$work/nld.txt
    extract "$from" nld.txt >"$pairs" || fail "$from: expected an archive with nld.txt in it"
    extract "$from" _about.txt >"$work/about" 2>/dev/null && about=$work/about
fi

# shellcheck disable=SC2086 # the options are words without spaces
"$program" prepare $options "$pairs" "$folder" >"$work/counts" || exit 1

rm -f "$folder/ABOUT-manythings.txt"
[ -z "$about" ] || cp "$about" "$folder/ABOUT-manythings.txt" || exit 1

# The names in "tatoeba.org #1158250 (CK) & #1480683 (Citrine)".
cat "$folder"/*.attribution.tsv | grep -o '#[0-9]* ([^)]*)' | sed 's/^[^(]*(\(.*\))$/\1/' |
    LC_ALL=C sort -u >"$folder/CONTRIBUTORS.txt"

cat >"$folder/README.md" <<END || exit 1
# Tatoeba Dutch-English, everyday sentences

UTF-8, LF, \`Dutch<TAB>English\`, one pair a line, shuffled. The *.attribution.tsv run line by line
beside: whom each pair is by.

Licence: CC BY 2.0 FR (https://creativecommons.org/licenses/by/2.0/fr/). Credit: Tatoeba
(https://tatoeba.org) and its contributors (CONTRIBUTORS.txt), by way of ManyThings
(https://www.manythings.org/anki/). Whoever passes these sentences on, or a work made from them, names
them too.

Changes made: white space, zero-width characters and curly quotes normalised; filtered;
de-duplicated; split, so that no sentence of one file stands in another (lower-cased, punctuation
stripped). What became of the lines:

$(sed 's/^/    /' "$work/counts")
END
cat "$work/counts"
