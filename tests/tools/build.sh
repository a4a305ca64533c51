#!/usr/bin/env bash
# Puts kubeconform, kube-score, manifesttypes and kstatus into the directory named by the first argument
# (default build/tools): built from the modules pinned in go.mod/go.sum (kstatus has its own) into a
# cache outside the clone, keyed by the hash of this directory. Cold two to three minutes on two cores,
# afterwards a link.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/../../build/tools}
declare -A package=(
  [kubeconform]=github.com/yannh/kubeconform/cmd/kubeconform
  [kube-score]=github.com/zegl/kube-score/cmd/kube-score
  [manifesttypes]=./manifesttypes
  [kstatus]=.
)
declare -A module=([kstatus]=kstatus) # of those that aren't in the module of this directory

key=$(cat "$here"/{.,kstatus}/go.{mod,sum} "$here"/*/main.go | sha256sum | cut -c1-16)
cache=${DEEPGRAM_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deepgram-operator}/tools-$key
mkdir -p "$cache" "$out"
exec 9>"$cache/lock" # two makes at once build once
flock 9

for name in "${!package[@]}"; do
  if [ ! -x "$cache/$name" ]; then
    command -v go >/dev/null || { echo "tools: go not found: install Go 1.24 or newer (it fetches the toolchain that go.mod names)" >&2; exit 1; }
    echo "tools: building $name"
    (cd "$here/${module[$name]:-.}" && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$cache/$name.tmp" "${package[$name]}")
    mv "$cache/$name.tmp" "$cache/$name"
  fi
  ln -sfn "$cache/$name" "$out/$name"
done
