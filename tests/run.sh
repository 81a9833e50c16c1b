#!/bin/sh
# Runs test programs and test scripts one after another and ends with one line that counts the tests:
#   N passed, N failed, N skipped
# A program prints Check's summary ("100%: Checks: 5, Failures: 0, Errors: 0"); a script prints
# "ok NAME" or "not ok NAME" for each test. "SKIP NAME: REASON" counts as skipped, not passed.
# A program that dies before its summary counts as one failure. WRAPPER runs each program under
# another (valgrind), those that the scripts start too.
passed=0 failed=0 skipped=0
log=$(mktemp)
folder=$(mktemp -d)
trap 'rm -rf "$log" "$folder"' EXIT

# Scripts find the programs in $BUILD: with a wrapper they find scripts there that start it.
if [ -n "${WRAPPER:-}" ]; then
    here=$(cd "${BUILD:-build}" && pwd)
    mkdir "$folder/bench"
    for program in tolk tolk-train tolk-corpus bench/plot; do
        printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$WRAPPER" "$here/$program" >"$folder/$program"
        chmod +x "$folder/$program"
    done
    BUILD=$folder
    export BUILD
fi

for test in "$@"; do
    printf '%s\n' "$test"
    case $test in
    *.sh) sh "$test" >"$log" 2>&1 ;;
    *) ${WRAPPER:-} "$test" >"$log" 2>&1 ;;
    esac
    status=$?
    skips=$(grep -c '^SKIP ' "$log")
    case $test in
    *.sh)
        good=$(grep -c '^ok ' "$log")
        bad=$(grep -c '^not ok ' "$log")
        ;;
    *)
        set_of=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log" | tail -n 1)
        set_of=${set_of:-0 0 0} # it died before its summary
        total=${set_of%% *}
        rest=${set_of#* }
        bad=$((${rest% *} + ${rest#* }))
        good=$((total - bad - skips))
        ;;
    esac
    [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
    [ "$good" -lt 0 ] && good=0
    [ "$bad" -gt 0 ] && sed 's/^/    /' "$log"
    [ "$bad" -eq 0 ] && grep '^SKIP ' "$log" | sed 's/^/    /'
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skips))
done

printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" -eq 0 ]
