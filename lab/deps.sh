#!/usr/bin/env bash
# The Debian packages the lab runs on. Installs the missing ones where it may, else names them.
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
missing=()
while read -r needed package; do
    case $needed in
        '' | '#'*) continue ;;
        module:*) "${PYTHON3:-python3}" -c "import ${needed#module:}" 2>/dev/null && continue ;;
        file:*) [ -e "${needed#file:}" ] && continue ;;
        *) command -v "$needed" >/dev/null && continue ;;
    esac
    case " ${missing[*]-} " in
        *" $package "*) ;;
        *) missing+=("$package") ;;
    esac
done <"$(dirname "$0")/prerequisites.txt"
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "These Debian packages are needed: ${missing[*]}" >&2
    echo "Next: install them (as root: apt-get install ${missing[*]}) and run the command again." >&2
    exit 1
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# A daemon that comes with a package must not start on the machine the lab is tried on.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
