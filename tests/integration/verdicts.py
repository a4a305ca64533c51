"""What other tools take an object for: kstatus (Flux and many more) and Argo CD's health check."""

import json
import subprocess

import yaml

from controlplane import REPOSITORY

KSTATUS = REPOSITORY / "build" / "tools" / "kstatus"
HEALTH_CHECKS = REPOSITORY / "manifests" / "gitops" / "argocd" / "health.yaml"


def kstatus(obj):
    """InProgress, Current, Failed or Terminating."""
    done = subprocess.run([KSTATUS], input=json.dumps(obj), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["status"]


def lua(value):
    """As a Lua literal."""
    if isinstance(value, dict):
        return "{%s}" % ",".join(f"[{lua(k)}]={lua(v)}" for k, v in value.items())
    if isinstance(value, list):
        return "{%s}" % ",".join(map(lua, value))
    return json.dumps(value)


def argocd(group_kind, obj):
    """(status, message) as the check in argocd-cm sees the object."""
    config, = yaml.safe_load_all(HEALTH_CHECKS.read_text())
    check = config["data"][f"resource.customizations.health.{group_kind}"]
    script = (f"obj = {lua(obj)}\nlocal function check()\n{check}\nend\n"
              "local hs = check()\nio.write(hs.status, '\\n', hs.message)")
    done = subprocess.run(["lua5.1", "-"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    status, _, message = done.stdout.partition("\n")
    return status, message
