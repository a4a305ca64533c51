#!/bin/sh
# Lays out the image's file system in the directory OUT: the program given, the shared libraries that
# it loads, the system's CA certificates, and what the C library looks up. The packages that these
# come from are listed in var/lib/dpkg/status.d, where scanners look, with their licences; libcurl is
# among them, though it is linked into the program (curl.sh).
set -eu
program=${1:?the program} out=${2:?directory to make}

owner() { # owner FILE: the package that installed it; dpkg may know it from before /lib moved to /usr
  path=$(realpath "$1")
  { dpkg --search "$path" || dpkg --search "${path#/usr}"; } 2>/dev/null | head -n 1 | cut -d: -f1
}

mkdir -p "$out/etc/ssl/certs" "$out/var/lib/dpkg/status.d" "$out/usr/share/doc"
cp "$program" "$out/deepgram-operator"
strip "$out/deepgram-operator"
cp /etc/ssl/certs/ca-certificates.crt "$out/etc/ssl/certs/"
echo 'operator:x:65532:65532::/:/sbin/nologin' >"$out/etc/passwd"
echo 'operator:x:65532:' >"$out/etc/group"
echo 'hosts: files dns' >"$out/etc/nsswitch.conf"

libraries=$(ldd "$program" | grep -o '/[^ ]*')
packages="ca-certificates $(owner "$(gcc -print-file-name=libcurl.so)")"
for library in $libraries; do
  cp --parents --dereference "$library" "$out"
  packages="$packages $(owner "$library")"
done
for package in $(printf '%s\n' $packages | sort -u); do
  dpkg --status "$package" >"$out/var/lib/dpkg/status.d/$package"
  mkdir -p "$out/usr/share/doc/$package"
  cp --dereference "/usr/share/doc/$package/copyright" "$out/usr/share/doc/$package/"
done
