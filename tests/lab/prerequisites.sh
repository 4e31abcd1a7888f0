#!/bin/sh
# Says which programs of the given list are missing on this machine and, on Debian and Ubuntu, offers to install them.
#
#   prerequisites.sh cargo cc java mvn go      asks before it installs anything
#   YES=1 prerequisites.sh cargo cc java       installs without a question
#
# Succeeds if everything is there in the end. A program that apt-get cannot install, such as Rust, is only named.
set -eu

missing() {
    for program in "$@"; do
        command -v "$program" > /dev/null 2>&1 || printf '%s ' "$program"
    done
}

# The Debian package of a program; nothing if Debian's is missing or too old.
package() {
    case $1 in
        cc) echo build-essential ;;
        java) echo openjdk-17-jre-headless ;;
        mvn) echo maven ;;
        setsid | flock) echo util-linux ;;
    esac
}

by_hand() {
    case $1 in
        cargo) echo "install Rust with rustup (https://rustup.rs)" ;;
        go) echo "install Go 1.24 or newer (https://go.dev/dl)" ;;
        cc) echo "install a C compiler" ;;
        java) echo "install a Java 17 runtime" ;;
        mvn) echo "install Apache Maven 3.6 or newer" ;;
        *) echo "install it and put it in PATH" ;;
    esac
}

absent=$(missing "$@")
[ -n "$absent" ] || exit 0

packages=''
for program in $absent; do
    found=$(package "$program")
    [ -z "$found" ] || packages="$packages $found"
done

as_root=''
if [ -n "$packages" ] && command -v apt-get > /dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        as_root=env
    elif command -v sudo > /dev/null 2>&1; then
        as_root=sudo
    fi
fi

if [ -n "$as_root" ]; then
    reply=${YES:-}
    if [ -z "$reply" ] && [ -t 0 ]; then
        printf 'missing: %s\ninstall%s with apt-get? [y/N] ' "$absent" "$packages" >&2
        read -r reply || reply=''
    fi
    case $reply in
        1 | y | Y | yes)
            # shellcheck disable=SC2086 # a list of packages
            $as_root apt-get update -q && $as_root apt-get install -q -y --no-install-recommends $packages
            absent=$(missing "$@")
            ;;
    esac
fi

[ -n "$absent" ] || exit 0
for program in $absent; do
    found=$(package "$program")
    if [ -n "$found" ] && command -v apt-get > /dev/null 2>&1; then
        echo "$program is missing: apt-get install $found (YES=1 does it for you)" >&2
    else
        echo "$program is missing: $(by_hand "$program")" >&2
    fi
done
exit 1
