#!/bin/sh
# Make a fresh Debian tree the image of a machine that has never been booted.
# Called by mmdebstrap as a customize hook, with the tree as its argument.
set -eu
tree=$1

# The identity of a machine is made at its first boot.
rm -f "$tree"/etc/ssh/ssh_host_*_key "$tree"/etc/ssh/ssh_host_*_key.pub
: >"$tree/etc/machine-id"
rm -f "$tree/var/lib/dbus/machine-id"
rm -f "$tree/etc/hostname" "$tree/etc/resolv.conf"
: >"$tree/etc/resolv.conf"
printf '127.0.0.1 localhost\n' >"$tree/etc/hosts"

# Where its packages come from is said by whoever configures the machine.
rm -f "$tree/etc/apt/sources.list"
rm -rf "$tree/etc/apt/sources.list.d" "$tree/var/lib/apt/lists"
mkdir -p "$tree/etc/apt/sources.list.d" "$tree/var/lib/apt/lists/partial"
rm -f "$tree/etc/apt/apt.conf.d/99mmdebstrap"

# The network is rendered by cloud-init for systemd-networkd. Nobody sends router advertisements
# here: waiting for one would hold every boot for 13 seconds.
chroot "$tree" systemctl enable systemd-networkd.service
for nic in eth0 eth1 eth2 eth3; do
    dropin="$tree/etc/systemd/network/10-cloud-init-$nic.network.d"
    mkdir -p "$dropin"
    printf '[Network]\nIPv6AcceptRA=no\n' >"$dropin/10-no-advertisements.conf"
done
# As Debian's cloud images: a locale that needs no generating.
printf 'LANG=C.UTF-8\n' >"$tree/etc/default/locale"
# A machine of the lab has no wall clock, console or disk of its own to look after, and fetches
# nothing by itself.
chroot "$tree" systemctl mask \
    apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer man-db.timer \
    e2scrub_reap.service getty@tty1.service console-getty.service

rm -rf "$tree"/usr/share/doc/*/changelog* "$tree"/var/cache/debconf/*-old \
    "$tree"/var/lib/dpkg/*-old "$tree"/var/log/*.log "$tree"/var/log/apt
