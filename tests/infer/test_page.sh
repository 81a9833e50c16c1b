#!/bin/sh
# The page of `tolk inspect --html` in a browser: every view is clicked through, its numbers are compared
# with those of `tolk align --json`, nothing is asked of the network. tests/infer/page/driver.js does it.
build=${BUILD:-build}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
tolk=$build/tolk

browser=
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && browser=$name && break
done

expect() { # expect NAME STATUS TEXT ARGUMENT…: `tolk inspect --html` ends so, and says so
    name=$1 wanted=$2 text=$3
    shift 3
    "$tolk" inspect "$@" >"$folder/out" 2>&1
    status=$?
    if [ $status -eq "$wanted" ] && grep -qF -e "$text" "$folder/out"; then
        echo "ok page $name"
    else
        echo "not ok page $name: status $status"
        cat "$folder/out"
    fi
}

# A model that need not know anything.
"$build/tolk-corpus" generate tests/fixtures/toy.grammar --pairs 300 --dev 10 --test 10 --combinations 0 \
    -o "$folder/toy" 2>"$folder/log"
"$build/tolk-train" -o "$folder/model" --train "$folder/toy/train.tsv" --dev "$folder/toy/dev.tsv" \
    --d-model 32 --heads 2 --ffn 64 --encoder-layers 2 --decoder-layers 2 --vocab-size 90 --precision float32 \
    --batch-tokens 1024 --updates 30 --validate-every 30 2>>"$folder/log"
if [ $? -ne 0 ]; then
    echo "not ok page model"
    cat "$folder/log"
    exit 1
fi

# drive NAME DRIVER: page.html in the browser, with expected.json beside what it holds.
drive() {
    {
        awk '/<script type="application\/json" id="data">/ && !done {
                 print "<script>window.thrown = []; addEventListener(\"error\", (e) => thrown.push(e.message));</script>"
                 done = 1
             } { print }' "$folder/page.html" | sed '/^<\/body>/,$d'
        printf '<script type="application/json" id="expected">'
        sed 's/</\\u003c/g' "$folder/expected.json"
        printf '</script>\n<script>\n'
        cat "tests/infer/page/$2"
        printf '</script>\n</body>\n</html>\n'
    } >"$folder/driven.html"
    # The proxy is a closed port: a request would fail, and be an error of the page. Each start has a profile of
    # its own, for a browser that is still leaving holds the last one; and one that hangs gets a second chance.
    for attempt in first second; do
        timeout 90 "$browser" --headless=new --no-sandbox --disable-gpu --no-first-run --proxy-server=127.0.0.1:9 \
            --user-data-dir="$folder/profile_$1_$attempt" --virtual-time-budget=20000 --dump-dom \
            "file://$folder/driven.html" >"$folder/dom" 2>"$folder/log"
        grep -q '<pre id="findings">' "$folder/dom" && break
    done
    sed -n '/<pre id="findings">/,/<\/pre>/p' "$folder/dom" | sed 's/<[^>]*>//g; s/&gt;/>/g; s/&lt;/</g; s/&amp;/\&/g' |
        sed "s/^\(not ok\|ok\) page /&$1_/" >"$folder/findings"
    if grep -q 'ok page' "$folder/findings"; then
        cat "$folder/findings"
    else
        echo "not ok page $1: the browser said nothing"
        tail -n 3 "$folder/log"
    fi
}

# look NAME GOLD SOURCE TARGET [OPTION…]: the page of a given pair, read as the options say.
look() {
    look_name=$1 gold=$2 source=$3 target=$4
    shift 4
    "$tolk" inspect --html "$folder/page.html" ${gold:+--gold "$gold"} --given "$target" "$@" "$folder/model" "$source" \
        2>"$folder/log" || {
        echo "not ok page $look_name: $(cat "$folder/log")"
        return
    }
    compare "$look_name" "$source	$target" align "$@"
}

# compare NAME LINE COMMAND [OPTION…]: with what `tolk COMMAND` says of the line, in words and in pieces.
compare() {
    compare_name=$1 line=$2 command=$3
    shift 3
    for unit in words pieces; do
        [ $unit = pieces ] && set -- "$@" --pieces
        {
            printf '{"hard":'
            printf '%s\n' "$line" | "$tolk" "$command" --json --all-heads --word-scores --alignment hard "$@" "$folder/model"
            printf ',"soft":'
            printf '%s\n' "$line" | "$tolk" "$command" --json --alignment soft "$@" "$folder/model"
            printf '}'
        } >"$folder/expected.json" 2>"$folder/log"
        drive "${compare_name}_$unit" driver.js
    done
}

words() { # so many words
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) printf "%s%s", i ? " " : "", i % 2 ? "kat" : "hond" }'
}

if [ -z "$browser" ] || [ -n "${TOLK_TEST_SLOW:-}" ]; then
    [ -n "$browser" ] && why='too slow here' || why='no chromium on this system'
    echo "SKIP page in a browser: $why"
else
    look plain '' 'de kat zit' 'the cat sits'
    look gold '0-0 1-1 2p2' 'de kat zit' 'the cat sits' --layer 1 --shift
    "$tolk" inspect --html "$folder/page.html" "$folder/model" 'de kat zit' 2>"$folder/log"
    compare searched 'de kat zit' translate
    "$tolk" inspect --html "$folder/page.html" --corpus "$folder/toy/dev.tsv" "$folder/model" 2>"$folder/log"
    "$tolk" evaluate --json --beam 1 "$folder/model" "$folder/toy/dev.tsv" >"$folder/expected.json" 2>>"$folder/log"
    drive corpus corpus_driver.js
    look markup '' '<script>wasRun = true</script> &amp; "kat"' '</script><script>wasRun = true</script>'
fi

"$tolk" inspect --html "$folder/long.html" --given "$(words 20)" "$folder/model" "$(words 20)" 2>"$folder/log"
size=$(wc -c <"$folder/long.html")
if [ "$size" -gt 20000 ] && [ "$size" -lt 1000000 ]; then
    echo "ok page is below a megabyte at 20 by 20 words"
else
    echo "not ok page is below a megabyte at 20 by 20 words: $size bytes"
fi
if grep -qE '(src|href)="?(https?:)?//|@import|url\(' "$folder/long.html"; then
    echo "not ok page names nothing outside itself"
else
    echo "ok page names nothing outside itself"
fi

if "$tolk" inspect --html "$folder/corpus.html" --corpus "$folder/toy/dev.tsv" "$folder/model" 2>"$folder/log" &&
    grep -q '"corpus":{' "$folder/corpus.html"; then
    echo "ok page corpus_view"
else
    echo "not ok page corpus_view: $(cat "$folder/log")"
fi
expect unwritable 1 "$folder/none/page.html" --html "$folder/none/page.html" "$folder/model" 'de kat'
expect malformed_gold 1 '--gold: column 5' --html "$folder/x.html" --gold '0-0 1~1' --given 'the cat' "$folder/model" 'de kat'
expect empty_sentence 1 'the sentence is empty' --html "$folder/x.html" "$folder/model" ''
expect too_long 1 'pieces, the model reads at most' --html "$folder/x.html" "$folder/model" "$(words 3000)"
if [ -e "$folder/x.html" ]; then
    echo "not ok page leaves no file behind an error"
else
    echo "ok page leaves no file behind an error"
fi
