#!/bin/sh
# Make ROOT the root directory of this mount namespace and run a command there.
# usage: enter.sh ROOT DATA RUN COMMAND [ARGUMENT...]
#
# A real pivot_root rather than a chroot: runc pivots once more for each container, which the
# kernel refuses below a chroot.
set -eu
root=$1 data=$2 run=$3
shift 3

mount --bind "$root" "$root"
for tree in proc dev sys; do
    mount --rbind "/$tree" "$root/$tree"
done
mount -t tmpfs -o mode=0755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir -p "$root/run/nova" "$root/run/host" "$root/var/lib/docker"
mount --bind "$data" "$root/var/lib/docker"
mount --bind "$run" "$root/run/nova"
for file in resolv.conf hosts; do
    touch "$root/etc/$file"
    mount --bind -o ro "/etc/$file" "$root/etc/$file"
done
cd "$root"
pivot_root . run/host
umount -l /run/host
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Both are per network namespace; in the host's own they are left as they are.
if [ "${NOVA_OWN_NETWORK:-}" = 1 ]; then
    ip link set lo up
    sysctl -q -w net.ipv4.ip_forward=1
fi
exec "$@"
