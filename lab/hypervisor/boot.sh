#!/bin/sh
# Power a machine on: enter its control groups, mount its disk, become its container manager.
#
# Usage: boot.sh GROUP OVERLAY-OPTIONS MOUNTPOINT COMMAND [ARGUMENT...]
#
# It is started in a mount namespace of its own, so that the disk is unmounted by the kernel when
# the last process of the machine ends, however it ends.
set -eu
group=$1 options=$2 mountpoint=$3
shift 3
for tasks in /sys/fs/cgroup/*/"$group"/cgroup.procs; do
    echo $$ >"$tasks"
done
mount -t overlay "$group" -o "$options" "$mountpoint"
exec "$@"
