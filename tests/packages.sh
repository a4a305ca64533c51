#!/bin/sh
# Installs the Debian packages listed in the file given, as root or through sudo; where neither is
# possible, says which are missing.
set -eu
missing=
for package in $(grep -v '^#' "$1"); do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root=sudo
else
  echo "missing Debian packages; install them and try again: apt-get install$missing" >&2
  exit 1
fi
echo "installing Debian packages:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words on purpose
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
