#!/usr/bin/env bash
# Writes install.yaml and rbac.yaml into the directory given: the chart as it renders by default, for
# those who don't use Helm.
set -euo pipefail
helm=${1:?the helm program} out=${2:?directory to write to}
here=$(cd "$(dirname "$0")" && pwd)

render() { # render [HELM-FLAG...]: without what only makes sense to Helm
  "$helm" template deepgram-operator "$here/../helm/deepgram-operator" \
    --namespace deepgram-operator-system --no-hooks --set crds.keep=false "$@" |
    grep -vE '^# Source: |^ +(helm\.sh/chart|app\.kubernetes\.io/managed-by): '
}

generate() { # generate FILE FIRST-LINE [HELM-FLAG...]
  local file=$1 what=$2
  shift 2
  {
    printf '# %s\n# Generated from helm/deepgram-operator by `make manifests`.\n' "$what"
    grep -v '^#' "$here/namespace.yaml"
    render "$@"
  } >"$out/$file.tmp"
  mv "$out/$file.tmp" "$out/$file"
}

generate install.yaml "Everything: kubectl apply -f manifests/install.yaml"
generate rbac.yaml "The operator's namespace, its identity, and what it may do." \
  --show-only templates/serviceaccount.yaml --show-only templates/rbac.yaml
