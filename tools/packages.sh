#!/bin/sh
# Installs the Debian packages that tolk needs, where they are missing.
#   tools/packages.sh build [test] [lint] [peers]
# On a system without apt-get it says what to install and stops.
set -eu

packages=
optional=
modules= # of pkg-config
for what in "$@"; do
    case $what in
    build)
        packages="$packages gcc g++ libc6-dev pkg-config libsentencepiece-dev libjansson-dev zlib1g-dev libutf8proc-dev"
        modules="$modules sentencepiece jansson zlib libutf8proc"
        ;;
    test)
        packages="$packages check valgrind"
        modules="$modules check"
        # What builds and runs the tests for Arm; where they cannot be had, those are skipped.
        if [ "$(uname -m)" = x86_64 ]; then
            optional="$optional gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"
        fi
        # The browser that opens the page of `tolk inspect --html`; without it its views go unclicked.
        optional="$optional chromium"
        ;;
    peers) packages="$packages libopenblas0-openmp libdnnl-dev python3-dev python3-venv" ;;
    lint) packages="$packages clang-format clang-tidy libomp-dev cppcheck" ;;
    *)
        echo "usage: tools/packages.sh [build] [test] [lint] [peers]" >&2
        exit 2
        ;;
    esac
done

# Elsewhere than on Debian and its kin: look, and say what to install.
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    lacking=
    for program in cc c++ pkg-config; do
        command -v "$program" >/dev/null || lacking="$lacking $program"
    done
    for module in $modules; do
        pkg-config --exists "$module" 2>/dev/null || lacking="$lacking $module"
    done
    [ -n "$lacking" ] || exit 0
    echo "tolk needs a C and a C++ compiler with OpenMP, pkg-config, and the development files of" >&2
    echo "SentencePiece, jansson, zlib and utf8proc; its tests need Check. Not found here:$lacking." >&2
    echo "Install them with this system's package manager and run make again." >&2
    exit 1
fi

# Those of the packages that are not installed.
missing_of() {
    for package; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || printf ' %s' "$package"
    done
}
# shellcheck disable=SC2086  # lists of package names
missing=$(missing_of $packages) lacking=$(missing_of $optional)
[ -n "$missing$lacking" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        [ -n "$missing" ] || exit 0
        echo "Not root, and no sudo here. As root: apt-get install$missing" >&2
        exit 1
    fi
    as_root=sudo
fi

install() {
    echo "Installing Debian packages: $*" >&2
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

$as_root apt-get update -qq || [ -z "$missing" ]
# shellcheck disable=SC2086
[ -z "$missing" ] || install $missing
for package in $lacking; do
    install "$package" || echo "Not to be had here, its tests are skipped: $package" >&2
done
