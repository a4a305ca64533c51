#!/usr/bin/env bash
# Builds the image from controller/Dockerfile as the OCI archive OUT, without Docker and with its own
# storage, which is removed again. Needs root.
#
# BASE names the image to build in. Without it, one is made of Debian's packages and kept in a cache
# outside the clone, until that is removed: cold about two minutes, afterwards the build takes less
# than one. The same base and the same commit give the same manifest digest, which is printed.
set -euo pipefail
shopt -s inherit_errexit # a base that could not be made is not kept

out=$(realpath "${1:?the archive to write}")
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
dockerfile=$root/controller/Dockerfile
release=${DEBIAN_RELEASE:-bookworm}
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}

[ "$(id -u)" -eq 0 ] || { echo "image: run as root, or: docker build -f controller/Dockerfile ." >&2; exit 1; }
"$here/../packages.sh" "$here/packages.txt"

work=$(mktemp -d)
buildah() { command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }
trap 'rm -rf "$work"' EXIT
export BUILDAH_ISOLATION=chroot

local_base() { # prints the file system that has all packages of the Dockerfile's build stage, and libcurl
  local packages cache curl=$root/controller/image/curl.sh
  packages=$(sed -n 's/^ARG PACKAGES="\(.*\)"$/\1/p' "$dockerfile")
  cache=${DEEPGRAM_OPERATOR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deepgram-operator}
  cache=$cache/image-base-$release-$(printf %s "$packages" | cat - "$curl" | sha256sum | cut -c1-16).tar
  mkdir -p "$(dirname "$cache")"
  exec 9>"$cache.lock" # two at once make it once
  flock 9
  if [ ! -f "$cache" ]; then
    echo "image: making a base of Debian's packages" >&2
    mmdebstrap --quiet --variant=apt --include="${packages// /,}" \
      --customize-hook="copy-in '$curl' /" --customize-hook='chroot "$1" /curl.sh /opt/curl' \
      "$release" "$cache.tmp.tar" >&2
    mv "$cache.tmp.tar" "$cache"
  fi
  echo "$cache"
}

if [ -z "${BASE:-}" ]; then
  BASE=localhost/base
  tar=$(local_base)
  base=$(buildah from scratch)
  buildah add --quiet "$base" "$tar" / >/dev/null
  buildah commit --quiet "$base" "$BASE" >/dev/null
  buildah rm "$base" >/dev/null
  pull=--pull=never
fi
buildah bud --quiet ${pull:+"$pull"} --build-arg "BASE=$BASE" ${VERSION:+--build-arg "VERSION=$VERSION"} \
  --timestamp "$epoch" --file "$dockerfile" --tag localhost/deepgram-operator "$root" >/dev/null
rm -f "$out"
buildah push --quiet --digestfile "$work/digest" localhost/deepgram-operator "oci-archive:$out:deepgram-operator"
echo "image: $out, $(cat "$work/digest")"
