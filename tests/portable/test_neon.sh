#!/bin/sh
# The tests of model/ that need no other library, built for aarch64 by a cross-compiler and run under
# qemu. `make check` builds them (Makefile, neon-tests) where the packages are there.
programs=${BUILD:-build}/neon/portable

skip() { # REASON
    echo "SKIP kernels on Arm NEON: $1"
    exit 0
}

[ -z "${WRAPPER:-}" ] || skip "programs of another machine have no wrapper"
case $(uname -m) in
x86_64) ;;
aarch64) skip "this machine has NEON, and the other tests ran on it" ;;
*) skip "only built on x86-64" ;;
esac
command -v aarch64-linux-gnu-gcc >/dev/null || skip "no aarch64-linux-gnu-gcc"
command -v qemu-aarch64 >/dev/null || skip "no qemu-aarch64"

# Where Debian puts the libraries of the cross-compiler.
emulate="qemu-aarch64 -L /usr/aarch64-linux-gnu"

# Forward and backward of a model, beside this machine's.
compare() {
    ours=${BUILD:-build}/portable/step
    "$ours" >"$programs/ours.txt" && $emulate "$programs/step" >"$programs/neon.txt" &&
        paste -d ' ' "$programs/ours.txt" "$programs/neon.txt" | awk -v bound=1e-5 '
            NF != 4 || $1 != $3 { print "line " NR ": " $0; bad++; if (bad > 5) exit; next }
            { off = $2 - $4; size = $2 < 0 ? -$2 : $2 }
            !(off <= bound * (1 + size) && -off <= bound * (1 + size)) { print $0; bad++; if (bad > 5) exit }
            END { exit bad > 0 || NR < 1000 }'
}

# A test that skips prints its reason, then returns like one that passed.
unset TOLK_ISA
if compare; then echo "ok neon step of a model"; else echo "not ok neon step of a model"; fi
for program in "$programs"/test_*; do
    OMP_WAIT_POLICY=passive $emulate "$program" >"$programs/log" 2>&1
    status=$?
    awk '/^SKIP / { sub(/_fn:/, ":"); skipped = $2; sub(":", "", skipped) }
         /^ok / && $NF == skipped { next }
         { sub(/^(ok|not ok|SKIP)/, "& neon"); print }' "$programs/log"
    if [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$programs/log"; then
        echo "not ok neon ${program##*/}: status $status"
    fi
done
