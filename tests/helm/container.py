"""Runs one container as its pod template says, on this machine: python container.py SPEC.

SPEC is a JSON file with root (a directory whose programs and libraries the container sees), mounts
({path in the container: file or directory}), uid, gid, argv and env. The container gets a file system of its
own, which is read-only, and no privileges; it shares the network and the processes of the machine,
and ends with the process that started it. Needs root.
"""

import ctypes
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
PR_CAPBSET_DROP, LAST_CAPABILITY = 24, 40

# Of the machine's or the image's file system; the rest of it would only be in the way.
TAKEN = ("usr", "lib", "lib32", "lib64", "libx32", "bin", "sbin", "deepgram-operator", "etc/ssl",
         "etc/passwd", "etc/nsswitch.conf", "etc/ld.so.cache")
# What a container gets of where it runs.
GIVEN = ("dev", "proc", "etc/hosts", "etc/resolv.conf")

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *args):
    if function(*args) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function.__name__}{args}: {os.strerror(error)}")


def mount(source, target, kind=None, flags=0):
    call(libc.mount, os.fsencode(source), os.fsencode(target), kind and kind.encode(),
         ctypes.c_ulong(flags), None)


def bind(source, target):
    """A symbolic link is copied: what it points to is bound as well."""
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
    elif source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        mount(source, target, flags=MS_BIND | MS_REC)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
        mount(source, target, flags=MS_BIND)


def build_file_system(spec, top):
    mount("tmpfs", top, "tmpfs")
    for name in TAKEN:
        source = Path(spec["root"]) / name
        if source.exists():
            bind(source, top / name)
    for name in GIVEN:
        bind(Path("/") / name, top / name)
    # As everywhere, /var/run is a link.
    (top / "run").mkdir()
    (top / "var").mkdir()
    (top / "var" / "run").symlink_to("/run")
    for path, source in spec["mounts"].items():
        inside = path.replace("/var/run/", "/run/")
        bind(Path(source), top / inside.lstrip("/"))
    mount("tmpfs", top, flags=MS_REMOUNT | MS_RDONLY)


def give_up_privileges(uid, gid):
    for capability in range(LAST_CAPABILITY + 1):
        call(libc.prctl, PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    call(libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Only now: a change of the user takes it back.
    call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def main():
    spec = json.loads(Path(sys.argv[1]).read_text())
    call(libc.unshare, CLONE_NEWNS)
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    top = Path(tempfile.mkdtemp(prefix="container-", dir=Path(sys.argv[1]).parent))
    build_file_system(spec, top)
    os.chroot(top)
    os.chdir("/")
    give_up_privileges(spec["uid"], spec["gid"])
    os.execve(spec["argv"][0], spec["argv"], spec["env"])


main()
