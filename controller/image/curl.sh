#!/bin/sh
# Builds OUT/libcurl.a with nothing but HTTP and HTTPS, through proxies too, in it. Debian's library
# can do so much more that it loads 26 further ones, among them a second TLS library: more than half
# of the image, and all of it to be patched.
#
# The source is Debian's, in the version of the package libcurl4-openssl-dev that is installed: a
# security update of curl comes into the image as that of any other library does, by building it from
# a base that has the update (`apt-get upgrade`, a newer BASE), and the image's list of packages names
# the version that was patched.
set -eu
out=${1:?directory to make}
mkdir -p "$out/apt" "$out/lists/partial"
out=$(realpath "$out")
version=$(dpkg-query --show --showformat '${Version}' libcurl4-openssl-dev)

# Debian's images know where the packages are, but not their sources, which are beside them.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  case $list in
    *.sources) sed 's/^Types:.*/Types: deb-src/' "$list" >"$out/apt/$(basename "$list")" ;;
    *.list) [ ! -f "$list" ] || sed -n 's/^deb /deb-src /p' "$list" >"$out/apt/$(basename "$list")" ;;
  esac
done
apt() {
  apt-get --quiet=2 -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$out/apt" \
    -o Dir::State::Lists="$out/lists" -o APT::Sandbox::User=root "$@" >/dev/null
}
# The directory is the same each time: its name gets into the objects.
cd "$out"
apt update
apt source "curl=$version"
cd curl-*/

CFLAGS='-O2 -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fcf-protection' \
./configure --quiet --disable-shared --with-pic --disable-dependency-tracking \
  --with-openssl --with-ca-bundle=/etc/ssl/certs/ca-certificates.crt --without-ca-path \
  --enable-threaded-resolver \
  --disable-alt-svc --disable-cookies --disable-dict --disable-doh --disable-file --disable-ftp \
  --disable-gopher --disable-hsts --disable-imap --disable-ldap --disable-ldaps --disable-manual \
  --disable-mqtt --disable-netrc --disable-ntlm --disable-pop3 --disable-rtsp --disable-smb \
  --disable-smtp --disable-telnet --disable-tftp --disable-tls-srp --disable-unix-sockets \
  --without-brotli --without-libgsasl --without-libidn2 --without-libpsl --without-librtmp \
  --without-libssh2 --without-nghttp2 --without-zlib --without-zsh-functions-dir --without-zstd
make --silent --jobs=2 --directory=lib >/dev/null
mv lib/.libs/libcurl.a "$out"
cd "$out"
rm -r apt lists curl*
