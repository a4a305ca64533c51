"""The keys and certificates of a test control plane, made with openssl."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

# Who the clients are: common name is the user, organisation the group, as RBAC sees them.
CLIENT_SUBJECTS = {
    "admin": "/O=system:masters/CN=admin",
    "kcm": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "kwok": "/O=system:masters/CN=kwok",
    # Has the rights of the ServiceAccount, which RBAC finds by its user name.
    "operator": "/CN=system:serviceaccount:deepgram-operator-system:deepgram-operator",
}
SERVER_NAMES = "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc,IP:10.96.0.1"


@dataclass(frozen=True)
class Pki:
    """Pairs are (certificate, key). All are paths of PEM files."""

    ca: Path
    server: tuple
    client: dict
    service_account_key: Path


def make_pki(directory):
    directory.mkdir(mode=0o700)
    ca = _certificate(directory / "ca", "/CN=test-ca", "basicConstraints=critical,CA:TRUE")
    return Pki(
        ca=ca[0],
        server=_certificate(
            directory / "server", "/CN=kube-apiserver", f"subjectAltName={SERVER_NAMES}", issuer=ca
        ),
        client={
            name: _certificate(directory / name, subject, "extendedKeyUsage=clientAuth", issuer=ca)
            for name, subject in CLIENT_SUBJECTS.items()
        },
        service_account_key=_key(directory / "service-account.key"),
    )


def _key(path):
    # ecparam, not genpkey: the API server reads its ServiceAccount key in the SEC 1 form only.
    _openssl("ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", path)
    return path


def _certificate(stem, subject, extension, issuer=None):
    """Signed by `issuer`, or by itself."""
    certificate, key = stem.with_suffix(".crt"), _key(stem.with_suffix(".key"))
    sign = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else []
    _openssl(
        "req", "-x509", "-new", "-key", key, "-subj", subject, "-addext", extension,
        "-days", "30", "-out", certificate, *sign,
    )
    return certificate, key


def _openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True)
    assert done.returncode == 0, f"openssl {args[0]}: {done.stderr}"
