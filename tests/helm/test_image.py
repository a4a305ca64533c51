"""The image that `make image` has built ($IMAGE): what is in it, that it can be built again, and that
it runs."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from controlplane import REPOSITORY
from kubelet import ENTRYPOINT, Kubelet, needs_root
from oci import Image
from release import (by_name, delete_both, issue_both, running,
                     works_with_private_ca_and_proxy)

MOST_BYTES = 12_000_000
# Debian's libcurl would bring a second TLS library, LDAP, Kerberos, SSH and more.
LIBRARIES = {"libc", "libcap", "libcjson", "libcrypto", "libdl", "libpthread", "libssl",
             "libwebsockets", "libyaml-0", "libz", "ld-linux-x86-64"}
MAY_RUN = {"deepgram-operator", "ld-linux-x86-64.so.2"}


@pytest.fixture(scope="module")
def path():
    return Path(os.environ["IMAGE"])


@pytest.fixture(scope="module")
def image(path):
    return Image(path)


@pytest.fixture(scope="module")
def root(image, tmp_path_factory):
    """The image's file system."""
    needs_root()
    directory = tmp_path_factory.mktemp("root")
    directory.chmod(0o755)  # it becomes the root directory of another user
    image.unpack(directory)
    return directory


def run(root, *args):
    return subprocess.run(["chroot", "--userspec=65532:65532", root, ENTRYPOINT, *args],
                          capture_output=True, text=True, timeout=30)


class TestContents:
    def test_blobs_are_intact(self, image):
        image.check_blobs()

    def test_small(self, image):
        size = sum(member.size for member in image.members())
        print(f"{size} bytes unpacked")
        assert size <= MOST_BYTES

    def test_runs_as_nobody_in_particular(self, image):
        assert image.config["config"]["User"] == "65532:65532"
        assert image.config["config"]["Entrypoint"] == [ENTRYPOINT]

    def test_no_other_program_and_nothing_to_gain(self, image):
        programs = {member.name.rpartition("/")[2] for member in image.members()
                    if member.isfile() and member.mode & 0o111 and ".so" not in member.name}
        assert programs <= MAY_RUN
        for member in image.members():
            assert (member.uid, member.gid) == (0, 0), member.name
            assert not member.mode & (stat.S_ISUID | stat.S_ISGID), member.name
            assert member.issym() or not member.mode & 0o022, member.name

    def test_no_library_that_is_not_needed(self, image):
        names = {member.name.rpartition("/")[2] for member in image.members()}
        assert {name.partition(".so")[0] for name in names if ".so" in name} == LIBRARIES

    def test_certificates(self, root):
        bundle = (root / "etc/ssl/certs/ca-certificates.crt").read_text()
        assert bundle.count("BEGIN CERTIFICATE") > 100

    def test_bill_of_materials_names_every_library(self, path, root):
        bill = json.loads(path.with_suffix(".spdx.json").read_text())
        packages = {package["name"]: package for package in bill["packages"]}
        assert {"deepgram-operator", "libc6", "libcurl4", "ca-certificates"} <= packages.keys()
        assert set(os.listdir(root / "var/lib/dpkg/status.d")) | {"deepgram-operator"} == set(packages)
        for name in packages.keys() - {"deepgram-operator"}:
            assert (root / "usr/share/doc" / name / "copyright").stat().st_size > 0
        assert len(bill["relationships"]) == len(packages)


def test_built_again_it_has_the_same_digest(image, tmp_path):
    again = tmp_path / "again.tar"
    subprocess.run([REPOSITORY / "tests" / "image" / "build.sh", again], check=True)
    assert Image(again).digest == image.digest


class TestProgram:
    def test_version(self, root, image):
        version = image.config["config"]["Labels"]["org.opencontainers.image.version"]
        assert run(root, "--version").stdout == f"deepgram-operator {version}\n"

    def test_help(self, root):
        assert "--default-credentials" in run(root, "--help").stdout

    def test_works_on_a_cluster(self, release, root, tmp_path):
        release.kubelet = Kubelet(release.plane, tmp_path, root)
        release.install(deepgram={"url": by_name(release.emulator.url), "settle": "2s"})
        with running(release.operator()):
            tenant = release.tenant()
            issue_both(tenant)
            delete_both(tenant)

    def test_works_with_a_private_ca_and_a_proxy(self, release, root, tmp_path):
        release.kubelet = Kubelet(release.plane, tmp_path, root)
        works_with_private_ca_and_proxy(release)
