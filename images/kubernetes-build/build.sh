#!/bin/sh
# usage: build.sh VERSION
#
# Debian's package builds with its own debhelper recipe; this is the part of it that makes binaries.
# GOPATH has to look as it did before Go modules: `go build -mod=vendor` refuses this tree.
set -eu
version=$1
tree=/build/kubernetes
mkdir -p "$tree" /out
tar -C "$tree" --strip-components=1 -xf /source/kubernetes_*.orig.tar.*
tar -C "$tree" -xf /source/kubernetes_*.debian.tar.*
cd "$tree"
while read -r name; do
    patch --quiet -p1 <"debian/patches/$name"
done <debian/patches/series

# reflect2 1.0.1 of the vendor tree breaks map iteration on Go 1.18 and later; Debian's is 1.0.2.
rm -rf vendor/github.com/modern-go/reflect2
cp -r /usr/share/gocode/src/github.com/modern-go/reflect2 vendor/github.com/modern-go/
rm -rf vendor/github.com/modern-go/reflect2/*_test.go vendor/github.com/modern-go/reflect2/test*

mkdir -p .go/src/k8s.io
ln -sfn ../../.. .go/src/k8s.io/kubernetes
export HOME=/build GOPATH="$tree/.go" GOFLAGS= CGO_ENABLED=0
export KUBE_GIT_VERSION="v$version" KUBE_GIT_COMMIT=debian KUBE_GIT_TREE_STATE=clean
KUBE_GIT_MAJOR=${version%%.*}
KUBE_GIT_MINOR=${version#*.}
export KUBE_GIT_MAJOR KUBE_GIT_MINOR="${KUBE_GIT_MINOR%%.*}"
names="kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubeadm"

# The compiler collects its garbage less often where there is memory for two of it to let it lie.
[ "$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)" -lt 8000000 ] || export GOGC=400
cd .go/src/k8s.io/kubernetes
make GOLDFLAGS="-s -w" WHAT="$(printf 'cmd/%s ' $names)"
for name in $names; do
    cp "_output/local/bin/linux/$(go env GOARCH)/$name" /out/
done
rm -rf /build
