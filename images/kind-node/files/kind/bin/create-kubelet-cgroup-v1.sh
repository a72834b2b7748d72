#!/bin/sh
# The kubelet's own cgroup (kind sets cgroupRoot to /kubelet) in every version 1 hierarchy; the
# counterpart of kind's create-kubelet-cgroup-v2.sh.
set -eu
test ! -f /sys/fs/cgroup/cgroup.controllers || exit 0

findmnt --list --noheadings --types cgroup --output TARGET | grep '^/sys/fs/cgroup/[^/]*$' |
while read -r hierarchy; do
    mkdir -p "$hierarchy/kubelet"
    # A new cpuset is empty and takes no process before its parent's CPUs and memory are copied.
    for file in cpuset.cpus cpuset.mems; do
        test ! -f "$hierarchy/$file" || cat "$hierarchy/$file" >"$hierarchy/kubelet/$file"
    done
done
