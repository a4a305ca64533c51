#!/usr/bin/env bash
# Puts etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kwok and helm into
# the directory named by the first argument (default build/controlplane).
#
# With KUBEBUILDER_ASSETS set, the binaries are taken from there. Otherwise they are built from the
# modules pinned in go.mod/go.sum, into a cache outside the clone keyed by the hash of both files:
# cold about ten minutes on two cores, afterwards a link.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../build/controlplane}
names=(etcd kube-apiserver kube-controller-manager kube-scheduler kubectl kwok helm)
declare -A package=(
  [etcd]=go.etcd.io/etcd/server/v3
  [kube-apiserver]=k8s.io/kubernetes/cmd/kube-apiserver
  [kube-controller-manager]=k8s.io/kubernetes/cmd/kube-controller-manager
  [kube-scheduler]=k8s.io/kubernetes/cmd/kube-scheduler
  [kubectl]=k8s.io/kubernetes/cmd/kubectl
  [kwok]=sigs.k8s.io/kwok/cmd/kwok
  [helm]=helm.sh/helm/v3/cmd/helm
)
# Without these two helm takes itself for a Kubernetes 1.20 client and refuses charts for newer ones.
ldflags="-s -w -X k8s.io/component-base/version.gitVersion=v1.37.2
  -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37
  -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37"

link_all() { # link_all FROM: only the names that FROM has are linked; the missing ones are printed
  local missing=()
  mkdir -p "$out"
  for name in "${names[@]}"; do
    if [ -x "$1/$name" ]; then ln -sfn "$1/$name" "$out/$name"; else missing+=("$name"); fi
  done
  printf '%s' "${missing[*]}"
}

if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  for needed in etcd kube-apiserver kubectl; do
    [ -x "$KUBEBUILDER_ASSETS/$needed" ] || {
      echo "controlplane: KUBEBUILDER_ASSETS=$KUBEBUILDER_ASSETS has no $needed: point it at a directory with envtest's binaries, or unset it" >&2
      exit 1
    }
  done
  missing=$(link_all "$(cd "$KUBEBUILDER_ASSETS" && pwd)")
  [ -z "$missing" ] || echo "controlplane: $KUBEBUILDER_ASSETS has no $missing: tests that need them are skipped" >&2
  exit 0
fi

key=$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -c1-16)
cache=${DEEPGRAM_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deepgram-operator}/controlplane-$key
mkdir -p "$cache"
exec 9>"$cache/lock" # two makes at once build once
flock 9

for i in "${!names[@]}"; do
  name=${names[$i]}
  [ -x "$cache/$name" ] && continue
  command -v go >/dev/null || { echo "controlplane: go not found: install Go 1.24 or newer (it fetches the toolchain that go.mod names), or set KUBEBUILDER_ASSETS" >&2; exit 1; }
  echo "controlplane: building $name ($((i + 1)) of ${#names[@]}; the cold build takes about ten minutes in all)"
  started=$SECONDS
  (cd "$here" && CGO_ENABLED=0 go build -trimpath -ldflags "$ldflags" -o "$cache/$name.tmp" "${package[$name]}") &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do # a line every 15 s, so that nobody takes it for hung
    sleep 1
    [ $(((SECONDS - started) % 15)) -ne 0 ] || echo "controlplane: ... $name, $((SECONDS - started)) s"
  done
  wait "$pid"
  mv "$cache/$name.tmp" "$cache/$name"
  echo "controlplane: $name done in $((SECONDS - started)) s"
done
missing=$(link_all "$cache")
[ -z "$missing" ]
