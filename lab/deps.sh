#!/usr/bin/env bash
# The Debian packages the lab runs on. Installs the missing ones where it may, else names them.
set -euo pipefail

declare -A packages=(
    [mmdebstrap]=mmdebstrap [systemd-nspawn]=systemd-container [ip]=iproute2 [nft]=nftables
    [shellcheck]=shellcheck [dpkg-deb]=dpkg [apt-ftparchive]=apt-utils [gpg]=gpg [gpgv]=gpgv
    [ssh]=openssh-client [sshd]=openssh-server [curl]=curl [ping]=iputils-ping [git]=git
    [tcpdump]=tcpdump
)
missing=()
PATH=$PATH:/usr/sbin:/sbin
for command in "${!packages[@]}"; do
    command -v "$command" >/dev/null || missing+=("${packages[$command]}")
done
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
