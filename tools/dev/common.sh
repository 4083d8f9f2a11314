# Sourced by the programs of this folder: where the tree is, how to say what goes on, how to configure.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
jobs=${ANCHORD_JOBS:-$(nproc)}

say() {
    printf '\033[1m== %s\033[0m\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

usage() {
    printf 'usage: %s\n' "$*" >&2
    exit 2
}

# Runs a command as root: as it is when we are root, else with sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "root or sudo is needed for: $*"
    fi
}

# configure DIR OPTION...: a build directory with these options, new or as it is.
configure() {
    local dir=$1
    shift
    if [ -e "$dir/build.ninja" ]; then
        meson configure "$dir" "$@" >/dev/null
    else
        meson setup "$dir" "$root" "$@" >/dev/null || {
            tail -n 30 "$dir/meson-logs/meson-log.txt" >&2 2>/dev/null || true
            return 1
        }
    fi
}

# compile DIR [TARGET...]: quiet unless something is wrong.
compile() {
    local dir=$1
    shift
    ninja -C "$dir" -j "$jobs" "$@" >"$dir/compile.log" 2>&1 || {
        grep -E 'FAILED|error|warning|undefined' -A 3 "$dir/compile.log" | head -n 80 >&2
        return 1
    }
}

# What sanitizers need to know, for every program that a test starts. Leaks and races that are not ours are
# listed in tests/*.supp, each with its reason.
sanitizer_env() {
    export ASAN_OPTIONS="detect_stack_use_after_return=1:strict_string_checks=1:check_initialization_order=1"
    export LSAN_OPTIONS="suppressions=$root/tests/lsan.supp:print_suppressions=0"
    export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"
    export TSAN_OPTIONS="suppressions=$root/tests/tsan.supp:second_deadlock_stack=1:history_size=4:atexit_sleep_ms=0"
}

# ThreadSanitizer of GCC 12 does not know the address layout of kernels with much randomisation; where the
# kernel lets us, its programs run without.
no_aslr() {
    if setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}
