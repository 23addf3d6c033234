#!/bin/sh
# A Proxmox host's own operating system, as far as SSH shows it: the base image read-only below a
# scratch layer, the host's storage at /var/lib/vz, and nothing of the real machine.
#
# Usage: host.sh ROOTFS HOST-DIRECTORY SCRATCH GROUP
#
# Started in mount and process namespaces of its own, inside the host's network namespace.
set -eu
rootfs=$1 host=$2 scratch=$3 group=$4
for tasks in /sys/fs/cgroup/*/"$group"/cgroup.procs; do
    echo $$ >"$tasks"
done
mount -t tmpfs -o size=64m,mode=0755 tmpfs "$scratch"
mkdir "$scratch/upper" "$scratch/work" "$scratch/root"
root=$scratch/root
mount -t overlay host -o "lowerdir=$rootfs,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
mkdir -p "$root/var/lib/vz" "$root/etc/lab-ssh" "$root/run/sshd" "$root/root" "$root/old"
mount --bind "$host/vz" "$root/var/lib/vz"
mount --bind "$host/ssh" "$root/etc/lab-ssh"
mount -o remount,ro,bind "$root/etc/lab-ssh"
mount -t proc -o hidepid=0 proc "$root/proc"
mount -t tmpfs -o size=1m,mode=0755 tmpfs "$root/dev"
mknod -m 0666 "$root/dev/null" c 1 3
mknod -m 0666 "$root/dev/zero" c 1 5
mknod -m 0666 "$root/dev/random" c 1 8
mknod -m 0666 "$root/dev/urandom" c 1 9
mknod -m 0666 "$root/dev/tty" c 5 0
mkdir "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
cp /etc/hostname "$root/etc/hostname" 2>/dev/null || true
cd "$root"
pivot_root . old
umount -l /old
rmdir /old
# What sshd needs to log somebody in and to write files, and no more: no mounting, no tracing, no
# network configuration.
exec setpriv \
    --bounding-set=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+net_bind_service,+sys_chroot,+audit_write \
    --inh-caps=-all -- /usr/sbin/sshd -D -e -f /etc/lab-ssh/sshd_config
