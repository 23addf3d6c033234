#!/bin/sh
# What a machine of the lab's does before anything else at boot: make this container look enough
# like a machine with a kernel of its own. The hypervisor's, not the machine's configuration.
set -u

# A router sets net.*, a kubelet vm.* and kernel.*: nspawn mounts /proc/sys read-only.
mount -o remount,rw,bind /proc/sys

# Containers' mounts must propagate as they do on a machine that systemd started.
mount --make-rshared /

# Programs log to /dev/kmsg or follow it; the kernel's own log is not this machine's.
[ -e /dev/kmsg ] || ln -s /dev/null /dev/kmsg

# eBPF maps and programs are pinned here.
mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf

mkdir -p /dev/net
[ -e /dev/net/tun ] || mknod -m 0666 /dev/net/tun c 10 200

# Kernel features are built in: modprobe must find them listed rather than fail.
release=$(uname -r)
mkdir -p "/lib/modules/$release"
cp /usr/lib/layered-cloud/modules.builtin "/lib/modules/$release/modules.builtin"
: >"/lib/modules/$release/modules.order"
if command -v depmod >/dev/null; then
    depmod "$release" || true
fi

# nspawn mounts the controllers read-only. A group that a kubelet can be given as its cgroup root
# is made in each of them.
for controller in /sys/fs/cgroup/*; do
    [ -e "$controller/cgroup.procs" ] || continue
    mount -o remount,rw,bind "$controller"
    mkdir -p "$controller/node"
    for file in cpuset.cpus cpuset.mems; do
        if [ -e "$controller/$file" ]; then
            cat "$controller/$file" >"$controller/node/$file"
        fi
    done
done
exit 0
